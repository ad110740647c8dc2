"""NeCGS (ICCV 2025) in the paper's own configuration: what codec necgs is compared with."""
