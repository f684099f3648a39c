import Crypto
import FoundationEssentials
package import Logging
import Posix
package import Releases
package import Wire

/// What this server's owner sees and asks for of its updates. It fetches and asks; who installs is the updater, which is root and believes
/// nothing of it.
package actor UpdateDesk {
    /// A release that this server may be brought to.
    package struct Offer: Sendable {
        package let manifest: ReleaseManifest
        /// SHA-256 of the manifest.
        package let digest: [UInt8]
        /// Of the files for this machine.
        package let bytes: Int
        /// Why it is not taken in one step; nil where it is.
        package let refusal: String?
    }

    /// What is being fetched before it is asked for.
    package struct Download: Sendable {
        package let version: ReleaseVersion
        package fileprivate(set) var fetched = 0
        package let total: Int
    }

    /// When releases were looked for, and why in vain. Unix milliseconds.
    package struct Look: Sendable {
        package let at: Int64
        package let fault: String?
    }

    package struct Sight: Sendable {
        /// Whether updates are set up at all.
        package var isOn = false
        package var offer: Offer?
        package var download: Download?
        /// Why the last download came to nothing.
        package var downloadFault: String?
        package var look: Look?
        /// What was asked for and has not been taken up.
        package var wish: ServerOrder.Move?
        /// nil where the updater has never said anything.
        package var report: ServerUpdateReport?
    }

    /// Why something is not done; for people.
    package enum Refusal: Error, Hashable, CustomStringConvertible {
        case off
        case busy(String)
        case unknown(String)

        package var description: String {
            switch self {
            case .off: "this server is not updated from here: updates.keys is not configured"
            case .busy(let what), .unknown(let what): what
            }
        }
    }

    private let source: UpdateSource
    private let shelf: OwnShelf
    private let order: String
    /// Of the program, where the updater says nothing.
    private let version: ReleaseVersion
    private let feed: ReleaseFeed?
    private let now: @Sendable () -> Int64
    private let log: Log

    private var look: Look?
    private var download: Download?
    private var downloadFault: String?
    private var task: Task<Void, Never>?

    private static let reportLimit = 1 << 20
    /// Of lists of keys that are taken at once.
    private static let listLimit = 64

    /// - Parameters:
    ///   - shelf: the folder of releases.
    ///   - order: the file by which the updater is asked.
    ///   - version: of this program.
    ///   - now: Unix milliseconds.
    package init(
        _ source: UpdateSource, shelf: String, order: String, version: String, feed: ReleaseFeed?, log: Log,
        now: @escaping @Sendable () -> Int64
    ) {
        self.source = source
        self.shelf = OwnShelf(folder: shelf)
        self.order = order
        self.version = ReleaseVersion(version) ?? ReleaseVersion(0, 0, 0)
        self.feed = feed
        self.log = log.part("updates")
        self.now = now
    }

    deinit { task?.cancel() }

    // MARK: What is seen

    package func sight() -> Sight {
        var sight = Sight()
        sight.report = report()
        sight.download = download
        sight.downloadFault = downloadFault
        sight.look = look
        sight.isOn = source.keys != nil
        guard sight.isOn else { return sight }
        if let asked, Hex.encode(asked.id) != sight.report?.order { sight.wish = asked.move }
        do {
            sight.offer = try offer(sight.report)
        } catch {
            // Keys that are not there, say: whoever looks is to know.
            sight.look = Look(at: now(), fault: "\(error)".bounded)
        }
        return sight
    }

    /// The newest release that is signed for this server; one that is too far away comes with the reason.
    private func offer(_ report: ServerUpdateReport?) throws -> Offer? {
        let installed = report.flatMap { ReleaseVersion($0.installed) } ?? version
        let trust = try trust()
        let time = ReleaseTime(clock: now() / 1000, floor: 0)
        let rule = UpdateRule(
            product: .server, machine: source.machine, channel: source.channel, installed: installed,
            failed: (report?.failed ?? []).compactMap { Hex.decode($0) })
        for version in try shelf.versions() where version > installed {
            // try?: what nobody trusted has signed is nobody's offer.
            guard let text = shelf.release(version), let release = try? trust.release(in: text, at: time),
                release.manifest.version == version, release.manifest.sequence >= Int64(report?.sequence ?? 0)
            else { continue }
            let refusal = rule.refusal(of: release, keys: trust.keys, at: time)
            switch refusal {
            case nil, .tooOld?: break
            default: continue
            }
            let files = release.manifest.files(of: .server, for: source.machine)
            return Offer(
                manifest: release.manifest, digest: SHA256.hash(text.text), bytes: files.reduce(0) { $0 + $1.size },
                refusal: refusal?.description)
        }
        return nil
    }

    /// The keys of the configuration, and all lists on the shelf that follow them.
    private func trust() throws -> ReleaseTrust {
        guard let keys = source.keys else { throw Refusal.off }
        var trust = try ReleaseTrust(shipped: try SignedText(bytes: try RegularFile(keys, upTo: SignedText.byteLimit).bytes))
        for _ in 0..<Self.listLimit {
            // try?: what does not follow is not taken.
            guard let next = shelf.text("keys.\(trust.keys.number + 1)"), (try? trust.take(next)) == true else { break }
        }
        return trust
    }

    private func report() -> ServerUpdateReport? {
        // try?: before its first run there is none.
        guard let file = try? RegularFile(source.report, upTo: Self.reportLimit, links: .refused) else { return nil }
        return try? JSONDecoder().decode(ServerUpdateReport.self, from: Data(file.bytes))
    }

    /// The last order.
    private var asked: ServerOrder? {
        // try?: where there is none nothing was asked for.
        guard let file = try? RegularFile(order, upTo: ServerOrder.byteLimit, links: .refused) else { return nil }
        return try? ServerOrder(bytes: file.bytes)
    }

    // MARK: Looking

    /// Looks for what is new: lists of keys, and the newest release of each channel that is followed.
    package func check() async {
        guard source.keys != nil else { return }
        do {
            if let feed { try await fetchTexts(feed) }
            look = Look(at: now(), fault: nil)
        } catch {
            look = Look(at: now(), fault: "\(error)".bounded)
            log.info("releases were not looked for", ["error": "\(error)"])
        }
    }

    private func fetchTexts(_ feed: ReleaseFeed) async throws {
        for _ in 0..<Self.listLimit {
            var trust = try trust()
            let name = "keys.\(trust.keys.number + 1)"
            guard let list = try await feed.text(name), try trust.take(list) else { break }
            try shelf.keep(list, as: name)
            log.notice("release keys were replaced", ["number": .integer(trust.keys.number)])
        }
        let trust = try trust()
        let time = ReleaseTime(clock: now() / 1000, floor: 0)
        for channel in ReleaseChannel.allCases where channel <= source.channel {
            guard let text = try await feed.text("\(channel.rawValue).release") else { continue }
            let release = try trust.release(in: text, at: time)
            let version = release.manifest.version
            guard release.manifest.channel == channel, shelf.release(version)?.text != text.text else { continue }
            try shelf.keep(text, of: version)
            log.notice("a release was found", ["version": "\(version)", "channel": .text(channel.rawValue)])
        }
    }

    // MARK: Asking

    /// Fetches what is missing of the release that is offered, and has the updater install it. Returns at once.
    ///
    /// - Throws: `Refusal`.
    package func install(_ version: ReleaseVersion) throws {
        let sight = try idle()
        guard let offer = sight.offer, offer.manifest.version == version else { throw Refusal.unknown("\(version) is not what is offered") }
        if let refusal = offer.refusal { throw Refusal.unknown(refusal) }
        let files = offer.manifest.files(of: .server, for: source.machine)
        let missing = try files.filter { try !shelf.has($0) }
        guard !missing.isEmpty else { return try ask(.install(version, release: offer.digest)) }
        guard let feed else { throw Refusal.unknown("files of \(version) are not on the shelf: publish the release again") }
        downloadFault = nil
        download = Download(version: version, total: missing.reduce(0) { $0 + $1.size })
        task = Task { [weak self] in await self?.fetch(missing, of: offer, from: feed) }
    }

    /// - Throws: `Refusal` where that is not the version before.
    package func goBack(to version: ReleaseVersion) throws {
        guard try idle().report?.previous == "\(version)" else { throw Refusal.unknown("\(version) is not the version before") }
        try ask(.back(to: version))
    }

    package func restore(_ copy: String) throws {
        _ = try idle()
        guard ServerOrder.isCopy(copy) else { throw Refusal.unknown("that is no copy") }
        try ask(.restore(copy: copy))
    }

    private func idle() throws -> Sight {
        let sight = sight()
        guard sight.isOn else { throw Refusal.off }
        guard let report = sight.report else {
            throw Refusal.busy("the updater has never run here: see Provisioning/OPERATE.md, 'Updating the server'")
        }
        guard report.phase == .idle, sight.download == nil else { throw Refusal.busy("another update is under way") }
        return sight
    }

    private func fetch(_ files: [ReleaseFile], of offer: Offer, from feed: ReleaseFeed) async {
        let version = offer.manifest.version
        do {
            try shelf.demandRoom(for: files.reduce(0) { $0 + $1.size })
            for file in files {
                try await shelf.fetch(file, from: feed) { [weak self] bytes in await self?.came(bytes) }
                try Task.checkCancellation()
            }
            download = nil
            try ask(.install(version, release: offer.digest))
        } catch {
            download = nil
            downloadFault = "\(error)".bounded
            log.warning("a release was not fetched", ["version": "\(version)", "error": "\(error)"])
        }
    }

    private func came(_ bytes: Int) { download?.fetched += bytes }

    private func ask(_ move: ServerOrder.Move) throws {
        guard let order = ServerOrder(id: randomBytes(16), move: move) else { throw Refusal.unknown("that is nothing to ask for") }
        try OwnShelf.write(order.bytes, to: self.order, mode: 0o600)
        log.notice("the updater was asked", ["order": .text(Hex.encode(order.id))])
    }
}

extension String {
    /// As much of a reason as a page shows.
    fileprivate var bounded: String { String(prefix(300)) }
}
