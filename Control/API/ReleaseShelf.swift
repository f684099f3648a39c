import Crypto
import Posix
import Releases
import Store
import Wire

/// What `strata-provision release publish` has put into the state folder. Nothing of it is believed here: a board judges for itself.
struct ReleaseShelf {
    /// A published release of boards.
    struct Item {
        let manifest: ReleaseManifest
        /// SHA-256 of the manifest.
        let digest: [UInt8]
        let machines: [String]
    }

    private let folder: String

    private static let suffix = ".release"
    /// More are published by nobody.
    private static let limit = 200

    init(_ state: StateFolder) { folder = state.releases }

    /// The newest first; what cannot be read is left out.
    func items() throws -> [Item] {
        let names: [String]
        do throws(SystemError) {
            names = try FileTree.names(in: folder)
        } catch {
            guard DashboardFiles.absences.contains(error.code) else { throw error }
            return []
        }
        let versions = names.filter { $0.hasSuffix(Self.suffix) }.compactMap { ReleaseVersion(String($0.dropLast(Self.suffix.count))) }
        return versions.sorted(by: >).prefix(Self.limit).compactMap { item($0) }
    }

    /// nil where it is not published, or has no files for boards.
    func item(_ version: ReleaseVersion) -> Item? {
        // try?: what cannot be read is not there, for whoever asks; boards are told the same.
        guard let file = try? RegularFile("\(folder)/\(version)\(Self.suffix)", upTo: SignedText.byteLimit, links: .refused),
            let text = try? SignedText(bytes: file.bytes), let manifest = try? ReleaseManifest(bytes: text.text),
            manifest.version == version
        else { return nil }
        let machines = Set(manifest.files.filter { $0.product == .agent }.map(\.machine.text)).sorted()
        guard !machines.isEmpty else { return nil }
        return Item(manifest: manifest, digest: SHA256.hash(text.text), machines: machines)
    }
}

extension ReleaseView {
    init(_ item: ReleaseShelf.Item) {
        let manifest = item.manifest
        self.init(
            version: manifest.version.description, sequence: Int(manifest.sequence), channel: manifest.channel.rawValue,
            releasedAt: Timestamp(unixMs: manifest.released * 1000).text, expiresAt: Timestamp(unixMs: manifest.expires * 1000).text,
            minimum: manifest.minimum.description, notes: manifest.notes, breaking: manifest.breaking, machines: item.machines)
    }
}
