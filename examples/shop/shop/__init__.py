"""Petite Bouche, a shop for swing instruments and records: Quintet's example project."""
