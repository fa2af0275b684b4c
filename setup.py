"""The compiled modules and the directives they share; all else is in pyproject.toml."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

MODULES = ["sklinear._core"]

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

# Compiler and linker arguments of OpenMP: GCC and Clang, Apple's Clang.
OPENMP_ARGS = [(["-fopenmp"], ["-fopenmp"]), (["-Xpreprocessor", "-fopenmp"], ["-lomp"])]
OPENMP_PROGRAM = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


def links(compiler, compile_args, link_args):
    """Whether a program that uses OpenMP can be built so."""
    with TemporaryDirectory() as folder:
        source = Path(folder, "program.c")
        source.write_text(OPENMP_PROGRAM)
        try:
            objects = compiler.compile([str(source)], folder, extra_postargs=compile_args)
            compiler.link_executable(objects, "program", folder, extra_postargs=link_args)
        except (CompileError, LinkError):
            return False
    return True


def openmp_args(compiler):
    """The arguments that work here; without any, the loops run on one thread."""
    if compiler.compiler_type == "msvc":
        return ["/openmp"], []
    return next((args for args in OPENMP_ARGS if links(compiler, *args)), ([], []))


class BuildExt(build_ext):
    """Choose the flags once the compiler is known."""

    def build_extensions(self):
        compile_args, link_args = openmp_args(self.compiler)
        for extension in self.extensions:
            own = COMPILE_ARGS.get(self.compiler.compiler_type, [])
            extension.extra_compile_args = own + compile_args
            extension.extra_link_args = link_args
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
