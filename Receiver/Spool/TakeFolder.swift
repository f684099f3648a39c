import Crypto
import FoundationEssentials
import Fragments
import Glibc
package import Posix
import Units
import Wire

/// The folder of one take: what one lease records of its stream.
///
///     take.json        whose it is
///     0001.mp4         a part: a beginning, and fragments one after the other
///     0001.index       a line for each of them, written behind its bytes
///     0001.head        of the first finished file: what stands at its front
///     lost.json        how many fragments the disk did not take
///     files.json       what finished files there are, and of which bytes; gone as soon as the take goes on
///     lock             whoever writes
struct TakeFolder: Sendable {
    let path: String

    /// Hidden, so that no file that an output is asked for has its name.
    static func shelf(_ root: String) -> String { "\(root)/.takes" }

    init(_ root: String, _ lease: LeaseID) { path = "\(Self.shelf(root))/\(lease)" }

    struct Owner: Codable, Hashable {
        let lease: LeaseID
        let recording: RecordingSpec
    }

    /// What is missing though it came.
    struct Lost: Codable, Hashable {
        let fragments: Int
    }

    static let ownerFile = "take.json"
    static let lostFile = "lost.json"
    static let filesFile = "files.json"

    func media(_ part: Int) -> String { "\(Self.digits(part)).mp4" }
    func index(_ part: Int) -> String { "\(Self.digits(part)).index" }
    func head(_ file: Int) -> String { "\(Self.digits(file)).head" }

    private static func digits(_ number: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// Numbers of its parts, in order.
    func parts() throws(SystemError) -> [Int] {
        try FileTree.names(in: path).compactMap { name in
            name.hasSuffix(".index") ? Int(name.dropLast(".index".count)) : nil
        }.filter { $0 > 0 }.sorted()
    }

    /// The next part's number: none that has a file of any kind.
    func next() throws(SystemError) -> Int {
        let numbers = try FileTree.names(in: path).compactMap { name in
            name.hasSuffix(".index") || name.hasSuffix(".mp4") ? name.split(separator: ".").first.flatMap { Int($0) } : nil
        }
        return (numbers.max() ?? 0) + 1
    }

    /// Numbers of its parts with the lengths of their indices in bytes: what is written makes one longer.
    func written() throws(SystemError) -> [Int: Int] {
        var lengths: [Int: Int] = [:]
        for part in try parts() {
            if case .file(let bytes, _)? = try FileTree.look("\(path)/\(index(part))") { lengths[part] = bytes }
        }
        return lengths
    }

    /// Fragments that the disk did not take. Where that cannot be read it is one: something was written down.
    var lost: Int {
        do {
            guard let noted = try read(Lost.self, from: Self.lostFile) else { return 0 }
            return min(max(1, noted.fragments), 1 << 30)
        } catch {
            return 1
        }
    }

    /// nil where it cannot be read.
    func readIndex(_ part: Int) throws(RegularFile.Fault) -> RecordingIndex? {
        let file = try RegularFile("\(path)/\(index(part))", upTo: Self.mostIndex, links: .refused)
        return RecordingIndex(String(decoding: file.bytes, as: UTF8.self))
    }

    /// Of weeks.
    private static let mostIndex = 512 << 20

    /// The beginning of a part, where it is what the index says.
    func beginning(_ part: Int, _ index: RecordingIndex) throws(SystemError) -> [UInt8]? {
        let bytes = try FileTree.read("\(path)/\(media(part))", 0..<index.beginningBytes)
        return bytes.count == index.beginningBytes && Hex.encode(SHA256.hash(bytes)) == index.beginningSHA256 ? bytes : nil
    }

    func write(_ value: some Encodable, to name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        try KeyFile.write(String(decoding: try encoder.encode(value), as: UTF8.self), to: "\(path)/\(name)")
    }

    /// nil where there is no such file.
    func read<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value? {
        guard let text = try KeyFile.read("\(path)/\(name)") else { return nil }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// How full a disk is.
package struct DiskRoom: Sendable, Hashable {
    package let free: Int
    package let total: Int

    package init(free: Int, total: Int) {
        self.free = free
        self.total = total
    }

    package init(of path: String) throws(SystemError) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw SystemError("statvfs", on: path) }
        let unit = Int(status.f_frsize)
        free = Int(status.f_bavail) * unit
        total = Int(status.f_blocks) * unit
    }

    /// A twentieth: less is left for what keeps the host going.
    package var takesNew: Bool { free >= total / 20 }
    /// A hundredth: what is being recorded goes on down to here.
    package var takesMore: Bool { free >= total / 100 }
}
