import Crypto
import FoundationEssentials
import Glibc
package import Logging
import Posix

/// The book on disk, written on a thread of its own: a card may take seconds for it, and the encoder is governed meanwhile.
package final class UsageFile: Sendable {
    private let path: String
    private let log: Log
    private let loop: Loop
    private let isFaulty = Guarded(false)

    /// - Throws: `SystemError` where there is no thread left.
    package init(stateFolder: String, log: Log) throws {
        path = "\(stateFolder)/usage.json"
        self.log = log
        loop = try Loop(name: "usage")
    }

    /// The book as it was written last; nil where there is none that can be read.
    package func read() -> UsageBook.Kept? {
        do {
            guard let text = try KeyFile.read(path) else { return nil }
            return try JSONDecoder().decode(UsageBook.Kept.self, from: Data(text.utf8))
        } catch {
            // The next write would be over it.
            let kept = rename(path, path + ".unreadable") == 0
            log.error(
                "what the links have carried cannot be read: it is counted from now on",
                ["reason": .text("\(error)"), "kept_as": .text(kept ? path + ".unreadable" : "nothing")])
            return nil
        }
    }

    /// Returns at once.
    package func write(_ book: UsageBook.Kept) { loop.submit { [self] in put(book) } }

    /// Writes the last of it and ends the thread.
    package func close(_ book: UsageBook.Kept) {
        loop.stop()
        put(book)
    }

    private func put(_ book: UsageBook.Kept) {
        do {
            try KeyFile.write(String(decoding: try JSONEncoder().encode(book), as: UTF8.self), to: path)
            isFaulty.withLock { $0 = false }
        } catch {
            let isNew = isFaulty.withLock { faulty in
                defer { faulty = true }
                return !faulty
            }
            if isNew { log.error("what the links have carried cannot be written", ["reason": .text("\(error)")]) }
        }
    }

    /// The kernel's id of this boot; empty where it does not tell.
    package static var boot: String {
        let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { Glibc.close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = Glibc.read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self)
    }
}
