import Glibc
import Posix

/// Who of a host's receivers encodes a slate now. After a boot all streams come back and want theirs at the same time: thirty of them together
/// take longer than any may.
struct SlateTurns: Sendable {
    /// Of this host, and its receivers' alone; nil: there are no others.
    let folder: String?
    /// One for each two processors: media goes first.
    var places = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)) / 2)

    enum Answer: Sendable {
        /// Over with the value, and with this process. nil where no place can be held: everybody goes then.
        case turn(FolderLock?)
        /// Others have all places.
        case busy
    }

    func take() -> Answer {
        guard let folder else { return .turn(nil) }
        for place in 0..<places {
            do throws(SystemError) {
                return .turn(try FolderLock(folder, file: "slate-\(place)"))
            } catch {
                guard error.code == EWOULDBLOCK else { return .turn(nil) }
            }
        }
        return .busy
    }
}

/// When a slate that could not be made is tried again: what a host has no room for now it may have room for later.
struct SlatePause: Equatable {
    private var failures = 0

    /// - Parameter jitter: 0..<1, drawn by the caller.
    /// - Returns: 2 s doubling to 5 min, less up to half.
    mutating func failed(jitter: Double) -> Duration {
        failures = min(failures + 1, 9)
        return .seconds(min(300, 1 << failures)) * (1 - jitter / 2)
    }
}
