"""What a coordinator remembers: reliability, agreement, calibration, latency and records."""
