"""NeCGS (ICCV 2025) in the paper's own configuration: what the default codec is compared with."""
