import Crypto

/// Why a signed release is not for this machine, or not now.
package enum UpdateRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case installed(ReleaseVersion)
    case downgrade(from: ReleaseVersion, to: ReleaseVersion)
    /// A release was seen that is newer by its sequence, or another one of the same.
    case replayed(sequence: Int64, seen: Int64)
    case channel(ReleaseChannel, followed: ReleaseChannel)
    case machine(ReleaseProduct, MachineClass)
    /// Unix seconds.
    case expired(at: Int64)
    case tooOld(installed: ReleaseVersion, minimum: ReleaseVersion)
    /// It was tried here, and did not work.
    case failedBefore(ReleaseVersion)

    package var description: String {
        switch self {
        case .installed(let version): "\(version) is installed"
        case .downgrade(let from, let to): "\(to) is older than \(from), which is installed"
        case .replayed(let sequence, let seen): "release number \(sequence), though number \(seen) is known"
        case .channel(let channel, let followed): "a release of channel '\(channel.rawValue)'; this machine follows '\(followed.rawValue)'"
        case .machine(let product, let machine): "no files of '\(product.rawValue)' for '\(machine)'"
        case .expired(let end): "it was offered until Unix second \(end)"
        case .tooOld(let installed, let minimum): "\(installed) is installed, and only \(minimum) or later takes this release in one step"
        case .failedBefore(let version): "\(version) was tried here and did not work"
        }
    }
}

/// The newest release that a machine has seen, by which it knows an old one that is offered again.
package struct ReleaseMark: Hashable, Sendable {
    package let sequence: Int64
    /// SHA-256 of the manifest.
    package let digest: [UInt8]
    /// The public key that had signed it.
    package let signer: [UInt8]

    package init(sequence: Int64, digest: [UInt8], signer: [UInt8]) {
        self.sequence = sequence
        self.digest = digest
        self.signer = signer
    }

    package init(_ release: TrustedRelease) {
        self.init(sequence: release.manifest.sequence, digest: SHA256.hash(release.manifest.bytes), signer: release.signer)
    }

    /// Whether it still counts. Who has stolen a release key may sign the largest of all sequences, after which no release is new enough:
    /// with the key gone from the list, so is what it signed (The Update Framework's specification, 5.3.11, fast-forward attacks).
    func counts(with keys: KeyList) -> Bool { keys.releases.contains { $0.key == signer } }

    /// Whether `other` is older, or another of the same number.
    func replays(_ other: ReleaseMark) -> Bool { sequence > other.sequence || sequence == other.sequence && digest != other.digest }
}

/// What a machine is, has and follows: what each offered release is held against.
package struct UpdateRule: Hashable, Sendable {
    package var product: ReleaseProduct
    package var machine: MachineClass
    package var channel: ReleaseChannel
    package var installed: ReleaseVersion
    package var seen: ReleaseMark?
    /// SHA-256 of the manifests that were tried and did not work.
    package var failed: [[UInt8]]

    package init(
        product: ReleaseProduct, machine: MachineClass, channel: ReleaseChannel, installed: ReleaseVersion, seen: ReleaseMark? = nil,
        failed: [[UInt8]] = []
    ) {
        self.product = product
        self.machine = machine
        self.channel = channel
        self.installed = installed
        self.seen = seen
        self.failed = failed
    }

    /// Why a release is not taken; nil where it is.
    package func refusal(of release: TrustedRelease, keys: KeyList, at time: ReleaseTime) -> UpdateRefusal? {
        let manifest = release.manifest
        let mark = ReleaseMark(release)
        if manifest.channel > channel { return .channel(manifest.channel, followed: channel) }
        if manifest.files(of: product, for: machine).isEmpty { return .machine(product, machine) }
        if time.seconds >= manifest.expires { return .expired(at: manifest.expires) }
        if let seen, seen.counts(with: keys), seen.replays(mark) {
            return .replayed(sequence: mark.sequence, seen: seen.sequence)
        }
        if manifest.version == installed { return .installed(installed) }
        if manifest.version < installed { return .downgrade(from: installed, to: manifest.version) }
        if installed < manifest.minimum { return .tooOld(installed: installed, minimum: manifest.minimum) }
        if failed.contains(mark.digest) { return .failedBefore(manifest.version) }
        return nil
    }
}
