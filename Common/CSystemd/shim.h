// libsystemd 252 (Debian 12) to 257 (Debian 13): sd-bus imports as it is. Its variadic calls are not used.
#include <systemd/sd-bus.h>
