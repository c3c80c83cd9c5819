"""The Python side of Quintet: what runs inside a worker, and what a Django project may import."""
