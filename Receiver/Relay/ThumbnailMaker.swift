import Glibc
import Posix
import Service
import Wire

/// Has pictures made of key frames by a process that lives for one of them and may do nothing else (`strata-still`).
struct ThumbnailMaker: Sendable {
    /// Path of `strata-still`.
    let program: String

    /// In time, not in processor time, of which it has 1 s: a busy host may hold it up.
    var limit: Duration = .seconds(4)

    struct Made: Sendable {
        /// nil where there is none: `fault` says why.
        var thumbnail: Thumbnail?
        var fault: String?
        /// Processor time of the process.
        var cost: Duration
    }

    /// One at a time.
    func make(of key: KeyFrame, on loop: Loop) async -> Made {
        let before = childrenTime()
        var made = Made(thumbnail: nil, fault: nil, cost: .zero)
        do {
            made.thumbnail = try await picture(of: key, loop)
            if made.thumbnail == nil { made.fault = "what was made is no small JPEG file" }
        } catch {
            made.fault = "\(error)"
        }
        // Without other children in this program it is this one's.
        made.cost = childrenTime() - before
        return made
    }

    private struct Ended: Error, CustomStringConvertible {
        let status: ExitStatus
        var description: String { "its process ended with \(status)" }
    }

    private func picture(of key: KeyFrame, _ loop: Loop) async throws -> Thumbnail? {
        let input = try MemoryFile("key-frame", holding: key.bytes)
        let output = try MemoryFile("thumbnail")
        // Of our surroundings nothing but where libraries lie: it must not know what it could tell.
        let environment = ProgramContext.environment.filter { $0.key == "LD_LIBRARY_PATH" }
        let process = try ChildProcess.start(
            program, [key.coding.rawValue], environment: environment, directory: "/", input: .descriptor(input.raw),
            output: .descriptor(output.raw), error: .null)
        let killer = Task { [loop, limit] in
            try await loop.sleep(for: limit)
            process.signal(SIGKILL)
        }
        let status = await process.exit(on: loop)
        killer.cancel()
        guard status.isSuccess else { throw Ended(status: status) }
        return Thumbnail(try output.read(upTo: WireLimits.thumbnailBytes + 1))
    }
}
