"""Which names a pickled pipeline may hold: classes of scikit-learn and its like, and what their pickles are made by."""

import re
from functools import cache
from importlib import import_module

# What is refused stands in no list: everything is that is not here, whoever vouches for it.
PLAIN = re.compile(
    r"numpy\.(dtype|ndarray|float(32|64)|u?int(8|16|32|64)|bool_?|str_)"
    r"|numpy\.(_core|core)\.(multiarray\.(_reconstruct|scalar)|numeric\._frombuffer)"
    r"|numpy\.random\._pickle\.__(bit_generator|generator|randomstate)_ctor"
    r"|joblib\.numpy_pickle\.NumpyArrayWrapper"
    r"|builtins\.(object|set|frozenset|slice|list|dict|tuple|bytearray|complex|range|int|float|str|bool)"
    r"|collections\.(OrderedDict|defaultdict)"
    r"|copyreg\._reconstructor"
    r"|sklearn\.feature_selection\._univariate_selection\.(chi2|f_classif)"
    r"|sklearn\.[\w.]+\.newObj|(numpy\.random|sklearn)\.[\w.]+\.__pyx_unpickle_\w+"
)
OF_PACKAGES = re.compile(r"(sklearn|scipy\.sparse|numpy\.random)(\.\w+)*")
# They read and write files, or are there for tests.
NOT_FOR_PIPELINES = re.compile(r"sklearn\.(conftest|datasets|externals|utils\._\w*test\w*)(\..*)?|.*\.tests(\..*)?")


@cache
def is_known(name: str) -> bool:
    """Whether a pipeline may hold what is called so, a module and a name in it parted by a dot.

    Of the packages it may hold the classes that a module defines, none that it only imports from elsewhere.
    """
    if PLAIN.fullmatch(name):
        return True
    module, _, last = name.rpartition(".")
    if not OF_PACKAGES.fullmatch(module) or NOT_FOR_PIPELINES.fullmatch(module):
        return False
    try:
        found = getattr(import_module(module), last, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module
