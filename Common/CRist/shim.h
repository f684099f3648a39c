// librist 0.2.7 (Debian 12) to 0.2.11 (Debian 13): imports as it is, no wrapper needed.
#include <librist/librist.h>
#include <librist/version.h>
