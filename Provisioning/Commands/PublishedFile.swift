import Crypto
import Glibc
import Posix
import Releases

/// A file of a release on its way to where control hands it out, under its digest as its name.
struct PublishedFile {
    private let source: String
    private let file: ReleaseFile

    private static let chunkBytes = 1 << 18

    /// - Parameter source: where it lies in the folder that the release was made of.
    init(_ source: String, _ file: ReleaseFile) {
        self.source = source
        self.file = file
    }

    /// Copies it, unless it is there and whole: beside first, then renamed, so that nothing is handed out that is not.
    ///
    /// - Throws: EILSEQ where it is no longer what was signed.
    func put(into folder: String) throws(SystemError) {
        let target = "\(folder)/\(Hex.encode(file.digest))"
        if case .file(let bytes, _)? = try FileTree.look(target), bytes == file.size, try isSigned(target) { return }
        let draft = "\(target).new"
        try Self.begin(draft)
        guard try isSigned(source, into: draft) else {
            unlink(draft)
            throw SystemError("read", EILSEQ, on: "\(source), which was changed meanwhile")
        }
        try Self.end(draft, as: target)
    }

    /// Whether the bytes at a path are those that were signed.
    ///
    /// - Parameter copy: what they are written to as they are read.
    private func isSigned(_ path: String, into copy: String? = nil) throws(SystemError) -> Bool {
        var digest = SHA256Digest()
        var offset = 0
        while offset <= file.size {
            let bytes = try FileTree.read(path, offset..<offset + Self.chunkBytes)
            if bytes.isEmpty { return digest.finished() == file.digest }
            digest.add(bytes)
            if let copy { try FileTree.append(bytes, to: copy) }
            offset += bytes.count
        }
        return false
    }

    /// Writes a text that is no secret, whole or not at all.
    static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
        switch try FileTree.look(path) {
        case nil, .file?: break
        case .folder?, .link?, .other?:
            throw SystemError("rename", EEXIST, on: "\(path), which is no regular file and would be replaced: name another path")
        }
        let draft = "\(path).new"
        try begin(draft)
        try FileTree.append(bytes, to: draft)
        try end(draft, as: path)
    }

    /// An empty file that everybody may read: control is another user. The folder may be control's, and this may be root: what has the name
    /// goes, no link is followed, and nothing is given another mode by its name.
    private static func begin(_ draft: String) throws(SystemError) {
        guard unlink(draft) == 0 || errno == ENOENT else { throw SystemError("unlink", on: draft) }
        try FileTree.makeFile(draft, mode: 0o644)
    }

    private static func end(_ draft: String, as path: String) throws(SystemError) {
        try FileTree.sync(draft)
        try FileTree.rename(draft, to: path)
        // The folder itself, where its name is a link.
        try FileTree.sync(UnixSocket.folder(of: path) + "/.")
    }
}
