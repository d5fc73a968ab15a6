"""Generated from protos/quorate/v1 by `make proto`; do not edit the files beside this one."""
