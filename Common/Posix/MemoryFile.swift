import CPosix
import Glibc

/// A file without a name or a disk (memfd_create(2)): bytes for a child, or from it. Gone with its last descriptor.
package struct MemoryFile: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// To give to a child; stays owned here. Its offset is shared, and not moved by anything here.
    package var raw: CInt { descriptor.raw }

    /// - Throws: `SystemError` where the system has no memory or no descriptor.
    package init(_ name: StaticString, holding bytes: [UInt8] = []) throws(SystemError) {
        let raw = cposix_memory_file("\(name)")
        guard raw >= 0 else { throw SystemError("memfd_create", on: "\(name)") }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { pwrite(raw, $0.baseAddress.map { $0 + written }, bytes.count - written, off_t(written)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let fault = SystemError("pwrite", on: "\(name)")
                close(raw)
                throw fault
            }
            written += count
        }
        descriptor = Descriptor(adopting: raw)
    }

    /// What it holds from its beginning on, `limit` bytes at most.
    package func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
        var file = stat()
        guard fstat(raw, &file) == 0 else { throw SystemError("fstat") }
        var bytes = [UInt8](repeating: 0, count: min(limit, Int(file.st_size)))
        var have = 0
        while have < bytes.count {
            let count = bytes.withUnsafeMutableBytes { pread(raw, $0.baseAddress.map { $0 + have }, $0.count - have, off_t(have)) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("pread") }
            if count == 0 { break }
            have += count
        }
        return Array(bytes.prefix(have))
    }
}
