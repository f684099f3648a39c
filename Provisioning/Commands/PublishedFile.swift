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

    /// Copies it, unless it is there: beside first, then renamed, so that nothing is handed out that is not whole.
    ///
    /// - Throws: EILSEQ where it is no longer what was signed.
    func put(into folder: String) throws(SystemError) {
        let target = "\(folder)/\(Hex.encode(file.digest))"
        if case .file(let bytes, _)? = try FileTree.look(target), bytes == file.size { return }
        let draft = "\(target).new"
        try FileTree.remove(draft)
        try FileTree.append([], to: draft)
        var digest = SHA256Digest()
        var offset = 0
        while true {
            let bytes = try FileTree.read(source, offset..<offset + Self.chunkBytes)
            if bytes.isEmpty { break }
            digest.add(bytes)
            try FileTree.append(bytes, to: draft)
            offset += bytes.count
        }
        guard digest.finished() == file.digest else {
            try FileTree.remove(draft)
            throw SystemError("read", EILSEQ, on: "\(source), which was changed meanwhile")
        }
        // Control is another user.
        try FileTree.setMode(0o644, of: draft)
        try FileTree.sync(draft)
        try FileTree.rename(draft, to: target)
        try FileTree.sync(folder)
    }
}
