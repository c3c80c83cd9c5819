"""The back office: products with their photos, orders to look at."""
from django.contrib import admin
from django.utils.html import format_html

from store.models import Category, Order, OrderLine, Product, Review

admin.site.site_header = "Petite Bouche: back office"
admin.site.site_title = "Petite Bouche"


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "position", "blurb"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "name", "maker", "category", "price", "stock", "featured"]
    list_display_links = ["thumbnail", "name"]
    list_editable = ["price", "stock", "featured"]
    list_filter = ["category", "featured"]
    list_select_related = ["category"]
    search_fields = ["name", "maker"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["thumbnail"]
    list_per_page = 30

    @admin.display(description="Picture")
    def thumbnail(self, product):
        return format_html('<img src="{}" alt="" width="56" height="56">', product.picture_url)


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ["product", "user", "stars", "written"]
    list_filter = ["stars"]
    list_select_related = ["product", "user"]
    readonly_fields = ["product", "user", "written"]

    def has_add_permission(self, request):
        return False


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 0
    can_delete = False
    readonly_fields = ["product", "name", "price", "quantity"]

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["number", "placed", "name", "city", "total"]
    date_hierarchy = "placed"
    search_fields = ["number", "name", "email"]
    readonly_fields = ["number", "user", "placed", "total"]
    inlines = [OrderLineInline]

    def has_add_permission(self, request):
        return False
