"""The compiled modules and the directives they share; all else is in pyproject.toml."""

import os

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MODULES = [
    f"sklinear.{name}"
    for name in (
        "_active_set",
        "_active_systems",
        "_ascent",
        "_balance",
        "_bordered",
        "_core",
        "_dense",
        "_descent",
        "_following",
        "_moments",
        "_operations",
        "_pairs",
        "_quadratic",
        "_sparse",
    )
]

# SKLINEAR_BOUNDSCHECK=1 builds modules that check every index.
CHECKED = os.environ.get("SKLINEAR_BOUNDSCHECK", "0") == "1"

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": CHECKED,
    "initializedcheck": CHECKED,
    "nonecheck": CHECKED,
    "wraparound": False,
    "cdivision": True,
    "embedsignature": True,
    "freethreading_compatible": True,
}

# Neither -ffast-math, which breaks infinities and the order of sums, nor -march=native, which
# ties a wheel to the machine that built it.  Nobody reads the floating-point flags, and without
# them the compiler may choose between two values instead of branching.
UNIX_ARGS = ["-O3", "-fno-trapping-math"]
COMPILE_ARGS = {"msvc": ["/O2"], "unix": UNIX_ARGS, "mingw32": UNIX_ARGS}


class BuildExt(build_ext):
    """Choose the flags once the compiler is known; compile as many modules at once as cores."""

    def build_extensions(self):
        if self.parallel is None:
            self.parallel = os.cpu_count()
        for extension in self.extensions:
            extension.extra_compile_args = COMPILE_ARGS.get(self.compiler.compiler_type, [])
        super().build_extensions()


def extensions():
    """One extension a module, always translated anew: a change of directives has no time stamp."""
    sources = {name: name.replace(".", "/") + ".pyx" for name in MODULES}
    return cythonize(
        [Extension(name, [source]) for name, source in sources.items()],
        compiler_directives=DIRECTIVES,
        force=True,
    )


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExt})
