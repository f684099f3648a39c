// Releases and the keys that sign them: nothing here speaks to a server, so that it works on a machine without a network.
import Crypto
import Glibc
import Logging
import Posix
import Releases
import Units

extension Console {
    func release(_ arguments: inout Arguments) throws {
        switch try arguments.word("key, rotate, make, verify or publish") {
        case "key": try makeKey(&arguments)
        case "rotate": try rotateKeys(&arguments)
        case "make": try makeRelease(&arguments)
        case "verify": try verifyRelease(&arguments)
        case "publish": try publishRelease(&arguments)
        case let other: throw Arguments.Fault("'release \(other)' is not a command; see --help")
        }
    }

    private func makeKey(_ arguments: inout Arguments) throws {
        let file = try arguments.required("output")
        try arguments.finish()
        var status = stat()
        // Whatever lies there may be a key that machines in the field wait for.
        guard lstat(file, &status) != 0 else { throw Arguments.Fault("\(file) is there already, and was left as it is: name another file") }
        let key = try Ed25519PrivateKey.generate()
        try KeyFile.write(Base64URL.encode(key.seed) + "\n", to: file)
        show(KeyView(key: Base64URL.encode(key.publicKey), file: file))
    }

    private func rotateKeys(_ arguments: inout Arguments) throws {
        let before = try arguments.optional("from").map(Self.signedText)
        let roots = try arguments.all("root").map(Self.publicKey)
        let releases = try arguments.all("release").map(Self.releaseKey)
        let signers = try Self.signers(arguments.all("signer"))
        let output = try arguments.required("output")
        try arguments.finish()
        do throws(ReleaseFault) {
            let old: ReleaseTrust? = if let before { try ReleaseTrust(shipped: before) } else { nil }
            let keys = try KeyList(number: (old?.keys.number ?? 0) + 1, roots: roots, releases: releases)
            let document = try Self.sign(keys.bytes, by: signers)
            // Held to what the machines will hold it to, before it is there.
            let trust = try ReleaseTrust(shipped: document)
            if var old { _ = try old.take(document) }
            try Self.publish(document, to: output)
            show(KeyListView(trust.keys))
        } catch {
            throw Arguments.Fault("no list was written: \(error)\(Self.advice(error, isFirst: before == nil))")
        }
    }

    private static func advice(_ fault: ReleaseFault, isFirst: Bool) -> String {
        guard fault == .notSigned else { return "" }
        return isFirst
            ? ". Name one of its root keys as --signer" : ". Name a root key of the list in --from and one of the new roots as --signer"
    }

    private func makeRelease(_ arguments: inout Arguments) throws {
        let folder = try arguments.required("from")
        let trust = try Self.trust(arguments.all("keys"))
        let signers = try Self.signers(arguments.all("signer"))
        let output = try arguments.required("output")
        let head = try ReleaseHead(&arguments)
        try arguments.finish()
        let files = try ReleaseFolder(folder).files()
        let now = unixMilliseconds() / 1000
        do throws(ReleaseFault) {
            let manifest = try ReleaseManifest(
                version: head.version, sequence: head.sequence, channel: head.channel, released: now, expires: head.expires,
                minimum: head.minimum, migrations: head.migrations, breaking: head.breaking, notes: head.notes, files: files)
            let document = try Self.sign(manifest.bytes, by: signers)
            let release = try trust.release(in: document, at: ReleaseTime(clock: now, floor: 0))
            try Self.publish(document, to: output)
            show(ReleaseView(release))
        } catch {
            throw Arguments.Fault("no release was written: \(error)")
        }
    }

    private func verifyRelease(_ arguments: inout Arguments) throws {
        let file = try arguments.required("file")
        let trust = try Self.trust(arguments.all("keys"))
        let folder = try arguments.optional("from")
        try arguments.finish()
        let document = try Self.signedText(file)
        show(ReleaseView(try Self.verified(document, file, trust, folder)))
    }

    /// Puts a release, its files and the lists of keys where control hands them out: files first, so that whatever is named is there.
    private func publishRelease(_ arguments: inout Arguments) throws {
        let file = try arguments.required("file")
        let lists = arguments.all("keys")
        let folder = try arguments.required("from")
        let target = try arguments.required("directory")
        try arguments.finish()
        let document = try Self.signedText(file)
        let release = try Self.verified(document, file, try Self.trust(lists), folder)
        try Folder.make(target)
        do throws(SystemError) {
            for file in release.manifest.files {
                let source = "\(folder)/\(file.product.rawValue)/\(file.machine)/\(file.path)"
                try PublishedFile(source, file).put(into: target)
            }
        } catch {
            throw Arguments.Fault("the release was not published: \(error)")
        }
        for list in lists {
            let text = try Self.signedText(list)
            do throws(ReleaseFault) {
                try Self.publish(text, to: "\(target)/keys.\(KeyList(bytes: text.text).number)")
            } catch {
                throw Arguments.Fault("\(list): \(error)")
            }
        }
        do throws(ReleaseFault) {
            try Self.publish(document, to: "\(target)/\(release.manifest.version).release")
            // What a server that fetches from this folder asks for: the newest of a channel.
            let newest = "\(target)/\(release.manifest.channel.rawValue).release"
            if Self.sequence(of: newest) <= release.manifest.sequence { try Self.publish(document, to: newest) }
        } catch {
            throw Arguments.Fault("the release was not published: \(error)")
        }
        show(ReleaseView(release))
    }

    /// - Parameter file: what the text was read from, for people.
    private static func verified(
        _ document: SignedText, _ file: String, _ trust: ReleaseTrust, _ folder: String?
    ) throws -> TrustedRelease {
        let now = unixMilliseconds() / 1000
        let release: TrustedRelease
        do throws(ReleaseFault) {
            release = try trust.release(in: document, at: ReleaseTime(clock: now, floor: 0))
        } catch {
            throw Arguments.Fault("\(file): \(error)")
        }
        let expires = release.manifest.expires
        guard now < expires else { throw Arguments.Fault("\(file): it was offered until \(Log.timestamp(unixMs: expires * 1000))") }
        if let folder {
            let (found, signed) = (Set(try ReleaseFolder(folder).files()), Set(release.manifest.files))
            if let file = signed.subtracting(found).first ?? found.subtracting(signed).first {
                throw Arguments.Fault("\(folder): '\(file.path)' of \(file.product.rawValue) for \(file.machine) is not as it was signed")
            }
        }
        return release
    }

    // MARK: Files

    /// Of the release in a file; 0 where there is none.
    private static func sequence(of file: String) -> Int64 {
        // try?: what cannot be read is replaced.
        guard let bytes = try? RegularFile(file, upTo: SignedText.byteLimit).bytes, let text = try? SignedText(bytes: bytes),
            let manifest = try? ReleaseManifest(bytes: text.text)
        else { return 0 }
        return manifest.sequence
    }

    private static func signedText(_ file: String) throws -> SignedText {
        let bytes: [UInt8]
        do throws(RegularFile.Fault) {
            bytes = try RegularFile(file, upTo: SignedText.byteLimit).bytes
        } catch {
            throw Arguments.Fault("\(file) cannot be read: \(error.reason)")
        }
        do throws(ReleaseFault) {
            return try SignedText(bytes: bytes)
        } catch {
            throw Arguments.Fault("\(file) is no signed text: \(error)")
        }
    }

    /// The lists in the order in which they followed each other, the first as it is shipped.
    private static func trust(_ files: [String]) throws -> ReleaseTrust {
        guard let first = files.first else { throw Arguments.Fault("--keys is missing: the list of keys that machines trust") }
        var file = first
        do {
            var trust = try ReleaseTrust(shipped: try signedText(first))
            for next in files.dropFirst() {
                file = next
                _ = try trust.take(try signedText(next))
            }
            return trust
        } catch let fault as ReleaseFault {
            throw Arguments.Fault("\(file): \(fault)")
        }
    }

    private static func signers(_ files: [String]) throws -> [Ed25519PrivateKey] {
        guard (1...SignedText.signatureLimit).contains(files.count) else {
            throw Arguments.Fault("--signer is given \(files.count) times; expected 1 to \(SignedText.signatureLimit)")
        }
        return try files.map { file in
            let text = try secret(of: file).secret.revealed
            guard let seed = Base64URL.decode(text), seed.count == 32 else {
                throw Arguments.Fault("\(file) is no key that 'release key' has made")
            }
            return try Ed25519PrivateKey(seed: seed)
        }
    }

    private static func sign(_ text: [UInt8], by signers: [Ed25519PrivateKey]) throws(ReleaseFault) -> SignedText {
        do throws(CryptoError) {
            return try SignedText(text, by: signers)
        } catch {
            throw .malformed(line: 0, "it could not be signed: \(error)")
        }
    }

    /// Written beside and renamed: the text and its signature are there together, or what was there before is.
    private static func publish(_ document: SignedText, to path: String) throws(ReleaseFault) {
        do throws(SystemError) {
            try PublishedFile.write(document.bytes, to: path)
        } catch {
            throw .malformed(line: 0, "\(error)")
        }
    }

    private static func publicKey(_ text: String) throws -> [UInt8] {
        guard let key = Base64URL.decode(text), Ed25519.isPublicKey(key) else {
            throw Arguments.Fault("'\(text)' is no public key; expected the 43 characters that 'release key' prints")
        }
        return key
    }

    private static func releaseKey(_ text: String) throws -> KeyList.ReleaseKey {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { throw Arguments.Fault("--release is '\(text)'; expected KEY=DATE, the day on which its use ends") }
        return KeyList.ReleaseKey(key: try publicKey(String(parts[0])), end: try UTCDay.seconds(of: String(parts[1]), "--release"))
    }
}

// MARK: Answers

private struct KeyView: Encodable {
    var key: String
    var file: String
}

private struct KeyListView: Encodable {
    struct ReleaseKey: Encodable {
        var key: String
        var endsAt: String
    }

    var number: Int
    var roots: [String]
    var releases: [ReleaseKey]

    init(_ keys: KeyList) {
        number = keys.number
        roots = keys.roots.map(Base64URL.encode)
        releases = keys.releases.map { ReleaseKey(key: Base64URL.encode($0.key), endsAt: Log.timestamp(unixMs: $0.end * 1000)) }
    }
}

private struct ReleaseView: Encodable {
    struct File: Encodable {
        var product: String
        var machine: String
        var path: String
        var sizeBytes: Int
        var sha256: String
        var isExecutable: Bool
    }

    var version: String
    var sequence: Int64
    var channel: String
    var releasedAt: String
    var expiresAt: String
    var minimumVersion: String
    var migrations: [Int]
    var breaking: [String]
    var notes: [String]
    var signer: String
    var files: [File]

    init(_ release: TrustedRelease) {
        let manifest = release.manifest
        version = "\(manifest.version)"
        sequence = manifest.sequence
        channel = manifest.channel.rawValue
        releasedAt = Log.timestamp(unixMs: manifest.released * 1000)
        expiresAt = Log.timestamp(unixMs: manifest.expires * 1000)
        minimumVersion = "\(manifest.minimum)"
        (migrations, breaking, notes) = (manifest.migrations, manifest.breaking, manifest.notes)
        signer = Base64URL.encode(release.signer)
        files = manifest.files.map { file in
            File(
                product: file.product.rawValue, machine: file.machine.text, path: file.path, sizeBytes: file.size,
                sha256: Hex.encode(file.digest), isExecutable: file.isExecutable)
        }
    }
}
