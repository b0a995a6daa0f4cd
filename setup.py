"""What pyproject.toml cannot say: recipes, the sample corpus and maps of tags lie beside the package, in a wheel inside of it."""

from setuptools import find_packages, setup

PACKAGE = "spacy_bilstm_tagger"
BESIDE = {
    f"{PACKAGE}.configs": "configs",
    f"{PACKAGE}.configs.labels": "configs/labels",
    f"{PACKAGE}.assets.sample": "assets/sample",
    f"{PACKAGE}.assets.tag_maps": "assets/tag_maps",
}
setup(packages=[*find_packages(include=[f"{PACKAGE}*"]), *BESIDE], package_dir=BESIDE)
