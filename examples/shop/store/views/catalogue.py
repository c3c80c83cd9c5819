"""Browsing: the front page, lists with search and pages, one product, and the same as JSON."""
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, render

from store.cart import Cart
from store.forms import ReviewForm
from store.models import Category, Product

PER_PAGE = 12
ORDERINGS = {
    "name": ("Name", ["name"]),
    "price": ("Price, lowest first", ["price", "name"]),
    "-price": ("Price, highest first", ["-price", "name"]),
    "-created": ("Newest", ["-created", "-id"]),
}


def home(request):
    featured = Product.objects.filter(featured=True).select_related("category")[:12]
    return render(request, "store/home.html", {"featured": featured})


def find(query, category=None, ordering="name"):
    """Products with every word of the query in their name, maker, summary or category."""
    products = Product.objects.select_related("category")
    if category:
        products = products.filter(category=category)
    for word in query.split():
        products = products.filter(
            Q(name__icontains=word)
            | Q(maker__icontains=word)
            | Q(summary__icontains=word)
            | Q(category__name__icontains=word)
        )
    return products.order_by(*ORDERINGS.get(ordering, ORDERINGS["name"])[1])


def parameter(request, name):
    """A parameter of the address, without NUL, which PostgreSQL refuses in a text."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:100]


def product_list(request, slug=None):
    category = get_object_or_404(Category, slug=slug) if slug else None
    query = parameter(request, "q")
    ordering = request.GET.get("sort", "name")
    paginator = Paginator(find(query, category, ordering), PER_PAGE)
    page = paginator.get_page(request.GET.get("page"))
    without_page = request.GET.copy()
    without_page.pop("page", None)
    context = {
        "category": category,
        "query": query,
        "ordering": ordering,
        "orderings": [(key, label) for key, (label, _) in ORDERINGS.items()],
        "page": page,
        "page_numbers": paginator.get_elided_page_range(page.number, on_each_side=2),
        "ellipsis": Paginator.ELLIPSIS,
        "parameters": without_page.urlencode(),
    }
    return render(request, "store/product_list.html", context)


def product(request, slug, review_form=None):
    """One product; `review_form` is one that was sent and has to be corrected."""
    chosen = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    others = Product.objects.filter(category=chosen.category).exclude(pk=chosen.pk)
    context = {
        "product": chosen,
        "reviews": chosen.reviews.select_related("user"),
        "review_form": review_form or ReviewForm(),
        "in_cart": Cart(request.session).quantity(chosen),
        "others": others.order_by("-featured", "name")[:4],
    }
    return render(request, "store/product.html", context)


def as_json(request, item):
    return {
        "slug": item.slug,
        "name": item.name,
        "maker": item.maker,
        "category": item.category.slug,
        "summary": item.summary,
        "price": str(item.price),
        "currency": "EUR",
        "in_stock": item.stock,
        "picture": request.build_absolute_uri(item.picture_url),
        "url": request.build_absolute_uri(item.get_absolute_url()),
    }


def api_products(request):
    """`?q=` and `?category=` filter, `?sort=` orders, `?page=` turns the page."""
    slug = parameter(request, "category")
    category = get_object_or_404(Category, slug=slug) if slug else None
    products = find(parameter(request, "q"), category, request.GET.get("sort", "name"))
    paginator = Paginator(products, 20)
    page = paginator.get_page(request.GET.get("page"))
    answer = {
        "count": paginator.count,
        "page": page.number,
        "pages": paginator.num_pages,
        "products": [as_json(request, item) for item in page],
    }
    return JsonResponse(answer)


def api_product(request, slug):
    item = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    return JsonResponse(dict(as_json(request, item), description=item.description))
