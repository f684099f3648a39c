import Foundation
import Posix

/// The wall clock of some of a test's programs, as one machine has it: what is started with `command` before it sees a clock that
/// can be set while it runs. See `CClock`.
package final class WallClock: Sendable {
    private let folder: TemporaryFolder
    private let library: String
    private let offset = Guarded<Int64>(0)

    /// Right, at first.
    package init() throws {
        folder = try TemporaryFolder()
        library = Places.programs.appendingPathComponent("libstrata-clock.so").path
        guard FileManager.default.fileExists(atPath: library) else { throw SupportFailure("\(library) is not built") }
        try write(0)
    }

    /// What comes before a program's command.
    package var command: [String] { ["env", "LD_PRELOAD=\(library)", "WALL_CLOCK_FILE=\(folder["offset"])"] }

    /// Sets the clock on by this, or back.
    package func step(by duration: Duration) throws {
        try offset.withLock { offset in
            offset += duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
            try write(offset)
        }
    }

    /// What it shows, in milliseconds since 1970.
    package var unixMs: Int64 { unixMilliseconds() + offset.withLock { $0 } / 1_000_000 }

    /// In place: the programs have the file mapped.
    private func write(_ nanoseconds: Int64) throws {
        let descriptor = open(folder["offset"], O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError("open", on: folder["offset"]) }
        defer { close(descriptor) }
        var value = nanoseconds
        guard pwrite(descriptor, &value, 8, 0) == 8 else { throw SystemError("write", on: folder["offset"]) }
    }
}
