"""NeCGS (ICCV 2025) on a narrow band."""
