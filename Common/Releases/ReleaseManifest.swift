import Units

/// What a release is: the text that its key signs.
///
///     strata release 1
///     version 1.4.0
///     sequence 17
///     channel stable
///     released 1795392000
///     expires 1803168000
///     minimum 1.2.0
///     migration 23
///     breaking Room tokens of 1.3 are no longer taken.
///     note Links come back sooner.
///     file agent arm64 x 14680064 <64 hexadecimal digits> strata-agent
///     file agent arm64 - 1203 <64 hexadecimal digits> share/README.md
///
/// Lines of `migration`, `breaking` and `note` may be missing or repeated; at least one file is there. Migrations ascend, files are in the
/// order of product, machine and path. There is one way to write a manifest: any other text is refused, so that what is signed, what is
/// shown and what is done are the same. Times are Unix seconds.
package struct ReleaseManifest: Hashable, Sendable {
    package let version: ReleaseVersion
    /// Counts releases, of all channels together: the one that is not below any that was seen is no replay.
    package let sequence: Int64
    package let channel: ReleaseChannel
    package let released: Int64
    /// From here on the release is no longer offered to anybody: another has taken its place, or the same was signed again.
    package let expires: Int64
    /// The oldest version that may take this release in one step.
    package let minimum: ReleaseVersion
    /// Of the database, that this release brings.
    package let migrations: [Int]
    /// What an operator must know before, a sentence each.
    package let breaking: [String]
    package let notes: [String]
    package let files: [ReleaseFile]

    package static let byteLimit = 1 << 18
    static let header = "strata release 1"
    /// 2^53 - 1: what JSON's readers keep.
    package static let sequenceLimit: Int64 = (1 << 53) - 1
    /// The year 9999.
    static let timeLimit: Int64 = 253_402_300_799
    static let lineLimit = 64
    static let textBytes = 500
    static let fileLimit = 512

    /// - Parameter files: in any order.
    /// - Throws: `.malformed` for what no manifest can hold.
    package init(
        version: ReleaseVersion, sequence: Int64, channel: ReleaseChannel, released: Int64, expires: Int64, minimum: ReleaseVersion,
        migrations: [Int] = [], breaking: [String] = [], notes: [String] = [], files: [ReleaseFile]
    ) throws(ReleaseFault) {
        self.version = version
        self.sequence = sequence
        self.channel = channel
        self.released = released
        self.expires = expires
        self.minimum = minimum
        self.migrations = migrations
        self.breaking = breaking
        self.notes = notes
        self.files = files.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        try checkHead()
        try checkTexts()
        try checkFiles()
    }

    /// What a machine of this kind fetches.
    package func files(of product: ReleaseProduct, for machine: MachineClass) -> [ReleaseFile] {
        files.filter { $0.product == product && $0.machine == machine }
    }

    private func checkHead() throws(ReleaseFault) {
        func check(_ isGood: Bool, _ what: String) throws(ReleaseFault) {
            guard isGood else { throw .malformed(line: 0, what) }
        }
        try check((1...Self.sequenceLimit).contains(sequence), "a sequence is from 1 to \(Self.sequenceLimit)")
        try check((0...Self.timeLimit).contains(released) && (0...Self.timeLimit).contains(expires), "a time is of the years 1970 to 9999")
        try check(released < expires, "a release expires after it was made")
        try check(minimum <= version, "the minimum is no later version than the release")
        try check(channel != .stable || !version.isPrerelease, "a pre-release is not for the channel 'stable'")
    }

    private func checkTexts() throws(ReleaseFault) {
        guard max(migrations.count, breaking.count, notes.count) <= Self.lineLimit else {
            throw .malformed(line: 0, "at most \(Self.lineLimit) migrations, breaking changes and notes each")
        }
        let isAscending = zip(migrations, migrations.dropFirst()).allSatisfy { $0 < $1 }
        guard isAscending, migrations.allSatisfy({ (1...1_000_000).contains($0) }) else {
            throw .malformed(line: 0, "migrations are numbers from 1 to 1000000 that ascend")
        }
        guard (breaking + notes).allSatisfy({ (1...Self.textBytes).contains($0.utf8.count) && $0.isPlain }) else {
            throw .malformed(line: 0, "breaking changes and notes are lines of 1 to \(Self.textBytes) bytes of plain text")
        }
    }

    private func checkFiles() throws(ReleaseFault) {
        guard (1...Self.fileLimit).contains(files.count) else { throw .malformed(line: 0, "a release has 1 to \(Self.fileLimit) files") }
        var names = Set<[UInt8]>()
        for file in files where !names.insert(file.key).inserted { throw .malformed(line: 0, "'\(file.path)' is there twice") }
        for folder in files.flatMap(\.folders) where names.contains(Array(folder.utf8)) {
            throw .malformed(line: 0, "'\(folder)' is a file and a folder")
        }
    }
}
