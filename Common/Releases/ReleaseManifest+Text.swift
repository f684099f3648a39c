// How a manifest is written and read.

import Crypto

extension ReleaseManifest {
    /// The bytes that are signed.
    package var bytes: [UInt8] { Array((lines.joined(separator: "\n") + "\n").utf8) }

    private var lines: [String] {
        var lines = [
            Self.header, "version \(version)", "sequence \(sequence)", "channel \(channel.rawValue)", "released \(released)",
            "expires \(expires)", "minimum \(minimum)",
        ]
        lines += migrations.map { "migration \($0)" }
        lines += breaking.map { "breaking \($0)" }
        lines += notes.map { "note \($0)" }
        lines += files.map(\.line)
        return lines
    }

    /// Reads what `bytes` writes, and nothing else. The signature is looked at first: see `ReleaseTrust`.
    package init(bytes: [UInt8]) throws(ReleaseFault) {
        var reader = try LineReader(bytes, upTo: Self.byteLimit, first: Self.header)
        let version = try reader.version("version")
        let sequence = try reader.number("sequence", upTo: Self.sequenceLimit)
        guard let channel = ReleaseChannel(rawValue: try reader.value("channel")) else { throw reader.fault("a channel expected") }
        let released = try reader.number("released", upTo: Self.timeLimit)
        let expires = try reader.number("expires", upTo: Self.timeLimit)
        let minimum = try reader.version("minimum")
        var migrations: [Int] = []
        for text in try reader.all("migration", atMost: Self.lineLimit) {
            guard let number = LineReader.number(text, upTo: 1_000_000) else { throw reader.fault("migrations are numbers") }
            migrations.append(Int(number))
        }
        let breaking = try reader.all("breaking", atMost: Self.lineLimit)
        let notes = try reader.all("note", atMost: Self.lineLimit)
        var files: [ReleaseFile] = []
        for text in try reader.all("file", atMost: Self.fileLimit) {
            guard let file = ReleaseFile(fields: text) else {
                throw reader.fault("'file PRODUCT MACHINE x|- SIZE SHA256 PATH' expected in file \(files.count + 1)")
            }
            files.append(file)
        }
        try self.init(
            version: version, sequence: sequence, channel: channel, released: released, expires: expires, minimum: minimum,
            migrations: migrations, breaking: breaking, notes: notes, files: files)
        try reader.finish(bytes, written: self.bytes)
    }
}

extension ReleaseFile {
    fileprivate var line: String {
        "file \(product.rawValue) \(machine) \(isExecutable ? "x" : "-") \(size) \(Hex.encode(digest)) \(path)"
    }

    fileprivate init?(fields text: String) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, let product = ReleaseProduct(rawValue: fields[0]), let machine = MachineClass(fields[1]),
            let size = LineReader.number(fields[3], upTo: Int64(Self.sizeLimit)), let digest = Hex.decode(fields[4])
        else { return nil }
        self.init(
            product: product, machine: machine, isExecutable: fields[2] == "x", size: Int(size), digest: digest, path: fields[5])
    }
}

extension LineReader {
    fileprivate mutating func version(_ word: String) throws(ReleaseFault) -> ReleaseVersion {
        guard let version = ReleaseVersion(try value(word)) else { throw fault("'\(word)' with a version such as 1.4.0 expected") }
        return version
    }
}
