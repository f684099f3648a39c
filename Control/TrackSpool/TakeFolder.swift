import Glibc
package import Posix

/// The folder of one take: the logs of all tracks that were recorded of a room.
///
///     0001-0001.rtp    segment and track: another segment for each life of its writer, tracks as they came
///     0001-0002.rtp
///     0002-0001.rtp
///
/// Files are named by numbers alone, and only ever appended to. Whose they are each says itself.
package struct TakeFolder: Sendable, Hashable {
    package let path: String
    private let root: String

    /// - Parameters:
    ///   - root: of all takes, in a folder that is there.
    ///   - take: its id, which is no text of anybody's.
    package init(root: String, take: String) {
        self.root = root
        path = "\(root)/\(take)"
    }

    /// A log's place among the others.
    package struct Number: Hashable, Comparable, Sendable {
        package var segment: Int
        package var track: Int

        package init(segment: Int, track: Int) {
            self.segment = segment
            self.track = track
        }

        package static func < (left: Number, right: Number) -> Bool {
            (left.segment, left.track) < (right.segment, right.track)
        }
    }

    private static let suffix = ".rtp"

    package func file(_ number: Number) -> String {
        "\(path)/\(Self.digits(number.segment))-\(Self.digits(number.track))\(Self.suffix)"
    }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// The logs that there are, in order.
    package func logs() throws(SystemError) -> [Number] {
        try FileTree.names(in: path).compactMap { name -> Number? in
            guard name.hasSuffix(Self.suffix) else { return nil }
            let parts = name.dropLast(Self.suffix.count).split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let segment = Int(parts[0]), let track = Int(parts[1]), segment > 0, track > 0 else { return nil }
            let number = Number(segment: segment, track: track)
            // Nothing that only looks like one.
            return file(number) == "\(path)/\(name)" ? number : nil
        }.sorted()
    }

    /// Makes it, and that of all takes, where they are not there yet (0700). Its name is on the disk with `sync`.
    func make() throws(SystemError) {
        for path in [root, path] {
            if mkdir(path, 0o700) == 0 {
                if path == root { try FileTree.sync("\(root)/..") }
            } else if errno != EEXIST {
                throw SystemError("mkdir", on: path)
            }
        }
    }

    /// Has the names of its logs on the disk, and its own: without a name a file is lost with the machine.
    func sync() throws(SystemError) {
        try FileTree.sync(path)
        // By its own name: that of all takes may be a link.
        try FileTree.sync("\(root)/.")
    }

    /// A new log, for its only writer.
    func create(_ number: Number) throws(SystemError) -> Descriptor {
        let path = file(number)
        let raw = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard raw >= 0 else { throw SystemError("open", on: path) }
        return Descriptor(adopting: raw)
    }
}
