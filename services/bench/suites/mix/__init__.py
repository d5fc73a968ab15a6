"""The templates of code_math_mix."""
