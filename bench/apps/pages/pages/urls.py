from django.urls import path

from pages import views

urlpatterns = [
    path("plain/", views.plain),
    path("rows/", views.rows),
    path("download/", views.download),
    path("booted/", views.booted),
]
