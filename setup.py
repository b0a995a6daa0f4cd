"""What pyproject.toml cannot say: recipes and the sample corpus lie beside the package, and inside of it in a wheel."""

from setuptools import find_packages, setup

PACKAGE = "spacy_bilstm_tagger"
BESIDE = {
    f"{PACKAGE}.configs": "configs",
    f"{PACKAGE}.configs.labels": "configs/labels",
    f"{PACKAGE}.assets.sample": "assets/sample",
}
setup(packages=[*find_packages(include=[f"{PACKAGE}*"]), *BESIDE], package_dir=BESIDE)
