"""A site that uses hailuo_django, and ``manage.py demo`` that shows it at work."""
