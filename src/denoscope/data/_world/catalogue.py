"""The twelve categories: their hierarchy, artists, keypoints and part-colour roles."""

from denoscope.data._world import animals, plants, things, vehicles
from denoscope.data._world.figure import Artist

SUPERCATEGORIES: dict[str, tuple[str, ...]] = {
    "animal": ("cat", "dog", "bird", "fish"),
    "vehicle": ("car", "bus", "boat"),
    "plant": ("tree", "flower"),
    "thing": ("cup", "chair", "house"),
}
CATEGORIES = tuple(name for names in SUPERCATEGORIES.values() for name in names)
SUPERCLASS = {name: above for above, names in SUPERCATEGORIES.items() for name in names}

ARTISTS: dict[str, Artist] = {
    "cat": animals.cat,
    "dog": animals.dog,
    "bird": animals.bird,
    "fish": animals.fish,
    "car": vehicles.car,
    "bus": vehicles.bus,
    "boat": vehicles.boat,
    "tree": plants.tree,
    "flower": plants.flower,
    "cup": things.cup,
    "chair": things.chair,
    "house": things.house,
}

KEYPOINTS: dict[str, tuple[str, ...]] = {
    "cat": animals.CAT,
    "dog": animals.DOG,
    "bird": animals.BIRD,
    "fish": animals.FISH,
    "car": vehicles.CAR,
    "bus": vehicles.BUS,
    "boat": vehicles.BOAT,
    "tree": plants.TREE,
    "flower": plants.FLOWER,
    "cup": things.CUP,
    "chair": things.CHAIR,
    "house": things.HOUSE,
}

ROLES: dict[str, tuple[str, ...]] = {
    "cat": ("ears", "eyes", "collar", "socks"),
    "dog": ("ears", "eyes", "collar", "socks"),
    "bird": ("beak", "wing", "tail", "legs"),
    "fish": ("eyes", "fins"),
    "car": ("windows", "wheels", "lights", "taillights", "trim"),
    "bus": ("windows", "wheels", "lights", "taillights", "stripe", "doors"),
    "boat": ("sail", "mast", "trim", "portholes", "flag"),
    "tree": ("trunk", "fruit"),
    "flower": ("centre", "stem"),
    "cup": ("emblem", "drink"),
    "chair": ("cushion", "feet"),
    "house": ("roof", "door", "windows", "chimney"),
}

FACING = ("cat", "dog", "bird", "fish", "car", "bus", "boat", "chair")
"""Categories with a front; the others look alike when mirrored."""
