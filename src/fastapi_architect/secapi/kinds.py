"""Which files are uploaded for a scan.

What a file claims is checked by how it begins and ends (`components/uploads/kinds.py`); what is in it, by whoever opens it.
"""

from types import MappingProxyType

from fastapi_architect.components.uploads import TAR, TAR_BZ2, TAR_GZ, TAR_XZ, ZIP

#: By media type.
ARCHIVES = MappingProxyType({each.media_type: each for each in (ZIP, TAR, TAR_GZ, TAR_BZ2, TAR_XZ)})
