import Glibc

/// A file as it lies on disk, read as a whole. A regular one only: reading a FIFO or a device may wait for ever, or never end.
package struct RegularFile: Sendable {
    package let bytes: [UInt8]
    /// The permissions, the lower twelve bits of `st_mode`.
    package let mode: UInt32

    /// Why it was not read.
    package enum Fault: Error, Hashable, Sendable, CustomStringConvertible {
        case system(SystemError)
        case notRegular(String)
        case tooLarge(String, limit: Int)
        /// It grows while it is read.
        case changing(String)

        /// Without the path: `open: Permission denied (13)`, `it is no regular file`.
        package var reason: String {
            switch self {
            case .system(let error): "\(error.function): \(error.reason)"
            case .notRegular: "it is no regular file"
            case .tooLarge(_, let limit): "it is larger than \(limit) bytes"
            case .changing: "it is being written"
            }
        }

        package var description: String {
            switch self {
            case .system(let error): error.description
            case .notRegular(let path), .tooLarge(let path, _), .changing(let path): "\(path): \(reason)"
            }
        }

        package var isMissing: Bool { if case .system(let error) = self { error.code == ENOENT } else { false } }
    }

    /// Whether the path may end in a symbolic link.
    package enum Links: Sendable {
        case followed, refused
    }

    package init(_ path: String, upTo limit: Int, links: Links = .followed) throws(Fault) {
        // Without O_NONBLOCK, opening a FIFO waits for who writes (open(2)).
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == .refused ? O_NOFOLLOW : 0))
        guard raw >= 0 else { throw .system(SystemError("open", on: path)) }
        let file = Descriptor(adopting: raw)
        var status = stat()
        guard fstat(file.raw, &status) == 0 else { throw .system(SystemError("fstat", on: path)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path) }
        guard status.st_size <= limit else { throw .tooLarge(path, limit: limit) }
        // One byte more: a file that grows meanwhile is seen to.
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { read(file.raw, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw .system(SystemError("read", on: path)) }
            if got == 0 { break }
            count += got
        }
        guard count < bytes.count else { throw .changing(path) }
        bytes.removeLast(bytes.count - count)
        self.bytes = bytes
        mode = status.st_mode & 0o7777
    }
}
