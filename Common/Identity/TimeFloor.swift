import Glibc

/// A moment that has passed for certain, by what lies on this machine: a board without a battery boots with a clock of long ago.
enum TimeFloor {
    /// When this program was built: packages, and the slots of updates, keep the time of their files.
    static func ofProgram() -> Int { of("/proc/self/exe") }

    /// When a file was last written, in Unix seconds; 0 where there is none.
    static func of(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
}
