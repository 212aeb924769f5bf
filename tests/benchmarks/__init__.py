"""Figures, not tests: each module prints ratios that hold on any machine."""
