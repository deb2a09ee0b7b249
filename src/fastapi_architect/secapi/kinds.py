"""Which files are uploaded for a scan.

What a file claims is checked by how it begins and ends (`components/uploads/kinds.py`); what is in it, by whoever opens it.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from fastapi_architect.components.uploads import JSON, TAR, TAR_BZ2, TAR_GZ, TAR_XZ, ZIP, Kind

from .scans.models import ScanKind

_SARIF = Kind("application/sarif+json", (".sarif", ".sarif.json", ".json"), JSON.begins, JSON.is_whole)
#: Both archives and results come in it; which it is, only whoever inflates it sees.
_GZIP = replace(TAR_GZ, extensions=(*TAR_GZ.extensions, ".sarif.gz", ".json.gz"))
_ARCHIVES = (ZIP, TAR, _GZIP, TAR_BZ2, TAR_XZ)
_RESULTS = (_SARIF, JSON, _GZIP)
#: Every file that can be uploaded, by media type.
UPLOADS = MappingProxyType({each.media_type: each for each in (*_ARCHIVES, *_RESULTS)})
#: Media types of the files that each kind of scan is made of.
MEDIA_TYPES: Mapping[ScanKind, frozenset[str]] = MappingProxyType(
    {
        ScanKind.ARCHIVE: frozenset(each.media_type for each in _ARCHIVES),
        ScanKind.SARIF: frozenset(each.media_type for each in _RESULTS),
        ScanKind.REPORT: frozenset(each.media_type for each in _RESULTS),
    }
)
