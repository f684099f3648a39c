import Glibc
package import Posix

/// The folder of a host that recordings go to: files in it are made by name, never by path (THREATS 8).
package final class RecordingFolder: Sendable {
    private let descriptor: Descriptor
    private let path: String

    /// Throws where it is not a folder that can be opened.
    package init(path: String) throws(SystemError) {
        let raw = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        descriptor = Descriptor(adopting: raw)
        self.path = path
    }

    /// Whether a name is one: letters, digits, `.`, `-`, `_`, at most 100, not hidden.
    static func isName(_ name: String) -> Bool {
        let allowed: (UInt8) -> Bool = { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        return (1...100).contains(name.utf8.count) && name.utf8.allSatisfy(allowed) && name.utf8.first != UInt8(ascii: ".")
    }

    /// Makes a file that did not exist: `name`, or `name-2` and so on before its extension.
    ///
    /// Nothing is ever written into a file that was there, nor through a link (O_EXCL follows none).
    func create(_ name: String) throws(OutputFault) -> Descriptor {
        guard RecordingFolder.isName(name) else {
            throw .hopeless("not a file name: \(name.prefix(100))")
        }
        for number in 1...9999 {
            let candidate = RecordingFolder.numbered(name, number)
            let raw = openat(descriptor.raw, candidate, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
            if raw >= 0 { return Descriptor(adopting: raw) }
            guard errno == EEXIST else { throw .lost("\(SystemError("open", on: candidate))") }
        }
        throw .hopeless("there are 9999 files of the name \(name)")
    }

    static func numbered(_ name: String, _ number: Int) -> String {
        guard number > 1 else { return name }
        guard let dot = name.lastIndex(of: ".") else { return "\(name)-\(number)" }
        return "\(name[..<dot])-\(number)\(name[dot...])"
    }
}
