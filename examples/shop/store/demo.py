"""The demo shop: six categories of ten products; where asked for, two accounts that bought things.

Makers, titles and places are made up. The drawings of the products are named after their slugs;
store/art draws them.
"""
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.text import slugify

from store.checkout import place_order
from store.models import Category, Order, Product, Review

# name, slug, blurb, a paragraph for each product's page
CATEGORIES = [
    (
        "Guitars",
        "guitars",
        "Oval mouths, wide mouths and archtops for rhythm and lead.",
        "Set up in our workshop with a light bronze set and a low, clean action. Every guitar is "
        "played for an afternoon before it leaves us, and comes with a case and a spare set of "
        "strings.",
    ),
    (
        "Violins",
        "violins",
        "Student fiddles to concert instruments, all set up for swing.",
        "Fitted with a bridge cut a little flatter for double stops, fine tuners on all strings "
        "and a bow that likes the dance floor. Thirty days to fall in love with it or send it "
        "back.",
    ),
    (
        "Double basses",
        "double-basses",
        "Plywood road warriors and carved concert basses.",
        "Adjustable bridge, steel-core strings and a sound post set by ear. We deliver basses "
        "ourselves, in a van, and help carry them up the stairs.",
    ),
    (
        "Accordions",
        "accordions",
        "From the two-row for the pocket to the full musette.",
        "Reeds tuned and valves re-waxed by hand before delivery. Comes with leather straps, a "
        "hard case and the first tuning for free within two years.",
    ),
    (
        "Records",
        "records",
        "180 gram vinyl from small rooms with good pianos.",
        "Recorded to tape in one room, cut at half speed and pressed on 180 gram vinyl. Gatefold "
        "sleeve with liner notes; a download in lossless quality is included.",
    ),
    (
        "Sheet music",
        "sheet-music",
        "Tunes, studies and arrangements, printed to lie flat.",
        "Sewn binding, cream paper, large notes. Chord symbols above every bar, and recordings "
        "of all the parts to play along with.",
    ),
]

# name, maker, price, stock, summary; the first two of each category are featured
PRODUCTS = {
    "guitars": [
        ("Lamarck No. 14", "Atelier Lamarck", "2480.00", 4,
         "Small oval mouth, walnut neck, and a bark that carries over two violins."),
        ("Abbesses Grande", "Atelier Lamarck", "2190.00", 3,
         "The wide mouth of the early dance halls: dry, loud, made for la pompe."),
        ("Clignancourt 503", "Varlet & Fils", "1340.00", 7,
         "Laminated rosewood sides and a cedar top that sounds old from the first day."),
        ("Saules Travel", "Varlet & Fils", "590.00", 12,
         "Short scale, full voice, fits in the rack above your seat."),
        ("Rochechouart Arch", "Delage Archtops", "3150.00", 2,
         "Carved spruce and flamed maple with f-holes, for smooth four-to-the-bar."),
        ("Anvers Noir", "Delage Archtops", "1790.00", 5,
         "Black lacquer, brass tailpiece, a tone like warm smoke."),
        ("Caulaincourt Student", "Petite Bouche", "349.00", 25,
         "Our own first guitar: honest, sturdy and surprisingly loud."),
        ("Blanche Tenor", "Petite Bouche", "420.00", 9,
         "Four strings in fifths, for banjo players who saw the light."),
        ("Pigalle Baritone", "Atelier Lamarck", "2690.00", 1,
         "A fourth lower, for accompaniment that shakes the floorboards."),
        ("Mirador Nylon", "Casa Oriol", "980.00", 6,
         "Cypress and nylon: what the caravan plays after midnight."),
    ],
    "violins": [
        ("Stella Concert", "Luthiers du Nord", "4200.00", 2,
         "Master-made after an Italian pattern; sings in the high positions."),
        ("Stomp Fiddle", "Luthiers du Nord", "640.00", 11,
         "Bright, quick and forgiving. Our best-seller for swing."),
        ("Odéon 4/4", "Maison Girard", "1180.00", 6,
         "A rounded tone with dark low strings and golden varnish."),
        ("Odéon 3/4", "Maison Girard", "890.00", 5,
         "The same violin for players who are still growing."),
        ("Quai Student Set", "Petite Bouche", "260.00", 30,
         "Violin, bow, case, rosin and a promise that we will help you tune it."),
        ("Cinq-Cordes", "Maison Girard", "1650.00", 3,
         "A fifth string down to C: viola and violin on one shoulder."),
        ("Trumpet Violin", "Curios & Sons", "1290.00", 1,
         "Horn instead of a body. Nobody will ask you to play louder."),
        ("Minuit Electric", "Studio Minuit", "780.00", 8,
         "Silent at home, and as loud as you dare on the stage."),
        ("Vieux Paris 1921", "Restored", "2950.00", 1,
         "Found in an attic, repaired for a winter, ready for another century."),
        ("Violetta", "Luthiers du Nord", "990.00", 4,
         "Small-bodied viola that fits a violinist's hands."),
    ],
    "double-basses": [
        ("Pont Neuf Ply", "Basswerk", "1890.00", 4,
         "Laminated, unbreakable, with a thump that keeps eight dancers together."),
        ("Grand Boulevard", "Luthiers du Nord", "8900.00", 1,
         "Fully carved, swell back. Plays itself in the low register."),
        ("Canal Hybrid", "Basswerk", "3200.00", 3,
         "Carved top on laminated ribs: half the worry, most of the sound."),
        ("Tramway 1/2", "Basswerk", "1450.00", 5,
         "Half size, whole bass. Goes on the tram with you."),
        ("Bastille Slap", "Maison Girard", "2100.00", 4,
         "Low action, gut-like strings, made to be hit."),
        ("Minuit Upright", "Studio Minuit", "2450.00", 3,
         "A stick with a soul: electric, foldable, convincing."),
        ("Marais Student", "Petite Bouche", "1190.00", 6,
         "Everything a beginner needs, including wheels."),
        ("Belleville Five", "Luthiers du Nord", "6400.00", 1,
         "Five strings with a low B for the big band chair."),
        ("Gare de l'Est", "Restored", "5200.00", 1,
         "A veteran of the dance orchestras with all its scars and stories."),
        ("République 7/8", "Maison Girard", "4300.00", 2,
         "Larger body, longer note: the arco player's choice."),
    ],
    "accordions": [
        ("Balajo Musette", "Fratelli Rossi", "3900.00", 2,
         "Three voices with true musette tremolo, 80 bass buttons."),
        ("Guinguette 48", "Fratelli Rossi", "1280.00", 6,
         "Light enough for a whole Sunday by the river."),
        ("Rue de Lappe Chromatic", "Accordéons Vacher", "4650.00", 1,
         "Five-row button keyboard, for runs that make pianists blush."),
        ("Java Piano 96", "Accordéons Vacher", "2850.00", 3,
         "Piano keys, five registers, mother-of-pearl that catches the lamps."),
        ("Diatonic in G/C", "Atelier Bourrée", "790.00", 8,
         "Two rows, eight basses and every dance tune you know."),
        ("Petit Bal", "Petite Bouche", "540.00", 10,
         "Our first accordion for small shoulders."),
        ("Nocturne Bassoon", "Accordéons Vacher", "5400.00", 1,
         "Cassotto chamber: a dark, breathing voice for slow waltzes."),
        ("Barge", "Atelier Bourrée", "1120.00", 4,
         "Three rows in a weatherproof finish. Lives on boats."),
        ("Concertina Anglaise", "Curios & Sons", "860.00", 5,
         "Hexagonal, 30 keys, fits under the arm."),
        ("Rossi Silver 120", "Fratelli Rossi", "6200.00", 1,
         "The full concert instrument, in silver pearl."),
    ],
    "records": [
        ("Minor Weather", "Quintette de la Butte", "24.00", 60,
         "Five players, one microphone, a thunderstorm on side B."),
        ("Swing at the Laundry", "Trio Lavoir", "22.00", 48,
         "Recorded between the machines. Listen for the spin cycle on 'Rinse'."),
        ("Nine O'Clock Bolero", "Orchestre Minuit", "26.00", 35,
         "A big band plays as softly as it can."),
        ("Caravan Letters", "Ana Weiss", "25.00", 40,
         "Solo guitar, twelve postcards from the road."),
        ("Blue Bicycle", "The Left Bank Four", "21.00", 55,
         "Cheerful at every tempo, including downhill."),
        ("La Pompe", "Les Frères Sauvage", "23.00", 30,
         "Two rhythm guitars for forty minutes. It never gets dull."),
        ("Valses pour Claire", "Trio Lavoir", "24.00", 26,
         "Musette waltzes taken apart and put together with love."),
        ("Live in a Very Small Room", "Quintette de la Butte", "28.00", 18,
         "Double album. You can hear the audience breathe in."),
        ("Ana Weiss with Strings", "Ana Weiss", "29.00", 22,
         "The guitar in front of a sea of violins."),
        ("Last Métro", "Orchestre Minuit", "24.00", 3,
         "Ballads for the way home."),
    ],
    "sheet-music": [
        ("Forty Tunes for Five", "Édition Butte", "32.00", 40,
         "The standard repertoire in parts for the classic quintet."),
        ("La Pompe: a Method", "Sauvage / Lavoir", "27.50", 35,
         "The right hand, explained at last, in thirty lessons."),
        ("Arpeggios for Two Fingers", "Ana Weiss", "24.00", 28,
         "How to play everything with what you have."),
        ("Waltzes for Accordion I", "Édition Musette", "19.50", 30,
         "Twenty easy waltzes with fingerings."),
        ("Waltzes for Accordion II", "Édition Musette", "21.50", 24,
         "Twenty less easy waltzes, with encouragement."),
        ("The Swing Fiddle Book", "Maison Girard", "26.00", 33,
         "Bowing, phrasing and how to leave things out."),
        ("Walking, Mostly", "Basswerk Press", "22.00", 29,
         "Bass lines over forty progressions, and when to stand still."),
        ("Introductions & Endings", "Édition Butte", "18.00", 45,
         "A hundred ways to begin and to stop together."),
        ("Caravan Letters, transcribed", "Ana Weiss", "29.00", 15,
         "All twelve pieces note for note, with tablature."),
        ("Blank Staves, 96 pages", "Petite Bouche", "9.50", 80,
         "For the tune that is not written yet."),
    ],
}

ADDRESS = {
    "name": "Clara Customer",
    "email": "customer@example.com",
    "street": "12 Rue Lepic",
    "postcode": "75018",
    "city": "Paris",
    "country": "France",
}
ORDERS = [
    {"minor-weather": 1, "la-pompe-a-method": 1},
    {"stomp-fiddle": 1, "the-swing-fiddle-book": 1, "swing-at-the-laundry": 2},
]

REVIEWS = {
    "stomp-fiddle": (5, "Played a wedding on its first Saturday. The bride wants one too."),
    "la-pompe-a-method": (4, "Lesson seven changed my right hand, and annoyed the neighbours."),
    "minor-weather": (5, "You do hear the thunder. The dog came back for side A."),
}


def subjects():
    """(category slug, slug, name, maker) of every product, for whoever draws the pictures."""
    return [
        (kind, slugify(row[0]), row[0], row[1]) for kind, rows in PRODUCTS.items() for row in rows
    ]


@transaction.atomic
def load_products():
    """Fills an empty catalogue. Answers how many products it made."""
    if Product.objects.exists():
        return 0
    products = []
    for position, (name, slug, blurb, paragraph) in enumerate(CATEGORIES):
        category, _ = Category.objects.update_or_create(
            slug=slug, defaults={"name": name, "blurb": blurb, "position": position}
        )
        for number, row in enumerate(PRODUCTS[slug]):
            products.append(new_product(category, row, paragraph, featured=number < 2))
    Product.objects.bulk_create(products)
    return len(products)


def new_product(category, row, paragraph, featured):
    name, maker, price, stock, summary = row
    slug = slugify(name)
    return Product(
        category=category,
        name=name,
        slug=slug,
        maker=maker,
        price=Decimal(price),
        stock=stock,
        summary=summary,
        description=paragraph,
        featured=featured,
        drawing=slug + ".svg",
    )


@transaction.atomic
def load_accounts():
    """admin/admin and customer/customer with two orders and some reviews, once. For demos only."""
    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", "admin@example.com", "admin")
    if users.filter(username="customer").exists():
        return
    customer = users.create_user("customer", ADDRESS["email"], "customer")
    for wanted in ORDERS:
        products = Product.objects.filter(slug__in=wanted)
        quantities = {product.pk: wanted[product.slug] for product in products}
        if quantities:
            place_order(Order(user=customer, **ADDRESS), quantities)
    for product in Product.objects.filter(slug__in=REVIEWS):
        stars, text = REVIEWS[product.slug]
        Review.objects.create(product=product, user=customer, stars=stars, text=text)
