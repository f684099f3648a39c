/// What lies beside an object on disk: its digest, its length and its type, a line for each content that it may have.
///
/// There is more than one line only while an object is being replaced: the new one's is written before the object is, so that whatever a
/// crash leaves is told apart from what a disk has damaged.
struct ObjectSum: Hashable, Sendable {
    let sha256: String
    let bytes: Int
    let type: String

    static func file(of key: ObjectKey) -> String { "\(key.folder)/\(prefix)\(key.name)" }

    static let prefix = ".sum-"
    static let mostBytes = 4096

    init(sha256: String, bytes: Int, type: String) {
        precondition(ObjectLimits.isType(type), "a type is one line")
        self.sha256 = sha256
        self.bytes = bytes
        self.type = type
    }

    /// nil for what is no line of ours.
    private init?(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 3, ObjectLimits.isDigest(parts[0]), let bytes = Int(parts[1]), bytes >= 0, ObjectLimits.isType(parts[2]) else {
            return nil
        }
        self.init(sha256: parts[0], bytes: bytes, type: parts[2])
    }

    static func read(_ text: [UInt8]) -> [ObjectSum] {
        String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { ObjectSum($0) }
    }

    static func text(_ sums: [ObjectSum]) -> [UInt8] { Array(sums.map { "\($0.sha256) \($0.bytes) \($0.type)\n" }.joined().utf8) }
}
