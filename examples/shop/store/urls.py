"""The store's addresses."""
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from store.views import account, buying, catalogue, files, reviews, travel

urlpatterns = [
    path("", catalogue.home, name="home"),
    path("products/", catalogue.product_list, name="products"),
    path("products/<slug:slug>/", catalogue.product, name="product"),
    path("products/<slug:slug>/review/", reviews.write, name="review"),
    path("category/<slug:slug>/", catalogue.product_list, name="category"),
    path("api/products/", catalogue.api_products, name="api_products"),
    path("api/products/<slug:slug>/", catalogue.api_product, name="api_product"),
    path("cart/", buying.cart, name="cart"),
    path("cart/add/<slug:slug>/", buying.cart_add, name="cart_add"),
    path("cart/set/<slug:slug>/", buying.cart_set, name="cart_set"),
    path("checkout/", buying.checkout, name="checkout"),
    path("login/", LoginView.as_view(template_name="store/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("signup/", account.sign_up, name="sign_up"),
    path("orders/", account.orders, name="orders"),
    path("orders/<slug:number>/", account.order, name="order"),
    path("orders/<slug:number>/invoice.pdf", account.invoice, name="invoice"),
    path("export/products.csv", files.products_csv, name="products_csv"),
    path("export/orders.csv", files.orders_csv, name="orders_csv"),
    path("download/catalogue.pdf", files.catalogue_pdf, name="catalogue_pdf"),
    path("download/pictures.zip", files.pictures_zip, name="pictures_zip"),
    path("favicon.ico", files.favicon),
    path("journey/", travel.journey, name="journey"),
    path("whoami/", travel.whoami, name="whoami"),
]
