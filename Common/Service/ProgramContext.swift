import Glibc
package import Posix

/// What a program finds around it, for its Main.
package enum ProgramContext {
    /// What every program of this tree says that it is.
    package static let version = "0.1.0"

    package static var environment: [String: String] {
        var all: [String: String] = [:]
        var entry = environ
        while let variable = entry.pointee {
            let text = String(cString: variable)
            if let mark = text.firstIndex(of: "=") { all[String(text[..<mark])] = String(text[text.index(after: mark)...]) }
            entry += 1
        }
        return all
    }

    /// Absolute path of this program (proc(5), /proc/self/exe); empty where /proc is not mounted.
    package static var executable: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    package static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        // A name that cannot be had leaves the buffer empty.
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let textLimit = 1 << 20

    /// A text file on disk as a whole, up to 1 MiB.
    ///
    /// - Throws: EILSEQ for one that is not UTF-8.
    package static func readText(_ path: String) throws(RegularFile.Fault) -> String {
        let bytes = try RegularFile(path, upTo: textLimit).bytes
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .system(SystemError("read", EILSEQ, on: path)) }
        return text
    }

    /// The same of whatever a person names on the command line, a pipe too: waits until that ends.
    ///
    /// - Throws: EFBIG for more than 1 MiB, EILSEQ for what is not UTF-8.
    package static func readInput(_ path: String) throws(SystemError) -> String {
        let raw = open(path, O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        let file = Descriptor(adopting: raw)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(file.raw, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", on: path) }
            if count == 0 { break }
            bytes += chunk.prefix(count)
            guard bytes.count <= textLimit else { throw SystemError("read", EFBIG, on: path) }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw SystemError("read", EILSEQ, on: path) }
        return text
    }

    /// Ends the program with a text on standard error. Source of the codes: sysexits.h (64 usage, 78 configuration).
    package static func exit(_ code: CInt, _ text: String) -> Never {
        let bytes = Array((text + "\n").utf8)
        // Nothing is left to be done where standard error is closed.
        _ = write(STDERR_FILENO, bytes, bytes.count)
        Glibc.exit(code)
    }
}
