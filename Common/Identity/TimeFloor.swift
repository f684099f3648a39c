import Glibc

/// A moment that has passed for certain, by what lies on this machine: a board without a battery boots with a clock of long ago.
enum TimeFloor {
    /// When this program was built: packages, and the slots of updates, keep the time of their files.
    static func ofProgram() -> Int { of("/proc/self/exe") }

    /// What the system's own time client saw last: it writes this file each time it has asked a server.
    /// **Source**: systemd-timesyncd(8), FILES.
    static func ofSystem() -> Int { of("/var/lib/systemd/timesync/clock") }

    /// When a file was last written, in Unix seconds; 0 where there is none.
    static func of(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
}
