from django.db import models


class Article(models.Model):
    title = models.CharField(max_length=200)
    author = models.CharField(max_length=100)
    summary = models.TextField()
    words = models.IntegerField()
    published = models.DateTimeField(db_index=True)
