import Glibc
package import Logging
import Posix
import Store
package import TLS
package import Web
import Wire

/// Whether people and boards accept the certificates by which they know this server, and when these and the key to its bucket end, said in
/// good time: at the start, when they are read again, and each day.
package actor CertificateWatch {
    enum Kind: String, Sendable, CaseIterable {
        /// What the server presents.
        case server
        /// Its own authority's, which boards pin.
        case authority
        /// No certificate: to the bucket of recordings, where its operator says when it ends.
        case storeKey

        var credential: Expiry.Credential {
            switch self {
            case .server: .certificate
            case .authority: .authority
            case .storeKey: .storeKey
            }
        }

        var noun: String {
            switch self {
            case .server: "the server's certificate"
            case .authority: "the authority's certificate"
            case .storeKey: "the key to the store of recordings"
            }
        }
    }

    /// Each time that another certificate is served, from the start on; for one listener.
    nonisolated let changes: AsyncStream<Void>
    private let changing: AsyncStream<Void>.Continuation

    private(set) var terms: [Kind: CertificateTerm] = [:]
    private let demand: ChainDemand
    private let keys: [String]
    private let log: Log
    private var saying: Task<Void, Never>?
    /// Why the files that lie there are not served.
    private var refused: String?
    /// Unix seconds.
    private var refusedAt = 0

    /// - Parameters:
    ///   - authority: Unix seconds at which the certificate of the server's own authority ends, where it has one.
    ///   - storeKey: the same of the key to the bucket, where it has an end.
    ///   - demand: what those who dial expect of what the server presents.
    ///   - keys: the files of the server's private keys.
    package init(authority: Int?, storeKey: Int? = nil, demand: ChainDemand, keys: [String], log: Log) {
        (changes, changing) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.demand = demand
        self.keys = keys
        self.log = log.part("certificates")
        terms[.authority] = authority.map { CertificateTerm(end: $0, notice: Self.authorityNotice) }
        terms[.storeKey] = storeKey.map { CertificateTerm(end: $0, notice: Self.serverNotice) }
    }

    /// A new certificate is a matter of minutes.
    private static let serverNotice = 30 * CertificateTerm.day
    /// Of a new authority every board has to be told.
    private static let authorityNotice = 180 * CertificateTerm.day

    /// Takes up what the server presents since its start. It is served whatever it is: there is nothing better.
    package func begin(_ server: Server) {
        refused = nil
        for key in keys { warn(of: key) }
        switch server.certificateFault(for: demand) {
        // Said below, and each day again.
        case nil, .over: break
        case let fault?:
            log.error(
                "boards and browsers refuse the server's certificate",
                ["reason": .text(Self.text(fault)), "remedy": "\(Self.remedy(fault))"])
        }
        watch(server)
    }

    /// A key that everybody on this machine may read is served all the same: it is what there is. A group's reading is left to those who
    /// gave it, as distributions do (`ssl-cert`).
    private func warn(of key: String) {
        var status = stat()
        guard stat(key, &status) == 0, status.st_mode & 0o027 != 0 else { return }
        log.warning(
            "others may use the server's private key",
            [
                "file": .text(key), "mode": .text(String(status.st_mode & 0o777, radix: 8)),
                "remedy": "chmod 600, and a new key where somebody else can log in here",
            ])
    }

    /// Has the server read its files again; what it cannot use, or those who dial would refuse, changes nothing.
    package func reload(_ server: Server) {
        do {
            try server.reloadCertificates(for: demand)
            log.notice("certificates read again")
            // One that nobody accepted has given way to another of the kind.
            begin(server)
        } catch let fault as ChainFault {
            refusedAt = Self.now
            refused = "boards and browsers would refuse the new certificate (\(Self.text(fault))): \(Self.remedy(fault))"
            log.error(
                "boards and browsers would refuse the new certificate; the old one stays",
                ["reason": .text(Self.text(fault)), "remedy": "\(Self.remedy(fault))"])
        } catch {
            log.error("the certificates cannot be read; the old ones stay", ["error": "\(error)"])
        }
    }

    private func watch(_ server: Server) {
        // What is good for less than three months is renewed by machines in the last third of that: whoever was told of it before would
        // have nothing to do. Source: certbot's changelog, 4.0.0.
        let notice = min(Self.serverNotice, (server.certificateLife ?? .max) / 3)
        terms[.server] = server.certificateEnd.map { CertificateTerm(end: $0, notice: notice) }
        changing.yield()
        saying?.cancel()
        saying = Task { await keepSaying(server) }
    }

    package func stop() { saying?.cancel() }

    private func keepSaying(_ server: Server) async {
        while !Task.isCancelled {
            let now = Self.now
            // What was refused may be good by now, or better than one that is over.
            if refused != nil, now - refusedAt >= CertificateTerm.day || terms[.server]?.state(at: now) == .over {
                reload(server)
                // Taken: it is another task that goes on.
                if Task.isCancelled { return }
            }
            for (kind, term) in terms { say(kind, term, term.state(at: now)) }
            let wait = terms.values.map { $0.nextLook(at: now) }.min() ?? CertificateTerm.day
            // try?: cancelled with the watch.
            try? await Task.sleep(for: .seconds(wait))
        }
    }

    private func say(_ kind: Kind, _ term: CertificateTerm, _ state: CertificateTerm.State) {
        let (end, remedy) = (Self.text(term.end), Self.remedy(kind))
        switch (kind, state) {
        case (_, .good): break
        case (.server, .ending(let days)):
            log.warning("the server's certificate ends soon", ["ends_at": "\(end)", "days": .integer(days), "remedy": "\(remedy)"])
        case (.server, .over):
            log.error(
                "the server's certificate is over: browsers and boards refuse this server", ["ended_at": "\(end)", "remedy": "\(remedy)"])
        case (.authority, .ending(let days)):
            log.warning("the authority's certificate ends soon", ["ends_at": "\(end)", "days": .integer(days), "remedy": "\(remedy)"])
        case (.authority, .over):
            log.error("the authority's certificate is over: boards refuse this server", ["ended_at": "\(end)", "remedy": "\(remedy)"])
        case (.storeKey, .ending(let days)):
            log.warning(
                "the key to the store of recordings ends soon", ["ends_at": "\(end)", "days": .integer(days), "remedy": "\(remedy)"])
        case (.storeKey, .over):
            log.error("the key to the store of recordings is over", ["ended_at": "\(end)", "remedy": "\(remedy)"])
        }
    }

    /// What is amiss, for people; nil where nothing is. Throws where a certificate is over.
    func complaint() throws -> String? {
        let now = Self.now
        var complaint = refused
        for kind in Kind.allCases {
            guard let term = terms[kind] else { continue }
            switch term.state(at: now) {
            case .good: continue
            case .ending: complaint = complaint ?? "\(kind.noun) ends at \(Self.text(term.end)): \(Self.remedy(kind))"
            case .over: throw Over(kind: kind, end: term.end)
            }
        }
        return complaint
    }

    private struct Over: Error, CustomStringConvertible {
        let kind: Kind
        let end: Int
        var description: String { "\(kind.noun) was over at \(text(end)): \(remedy(kind))" }
    }

    private static func remedy(_ kind: Kind) -> String {
        switch kind {
        case .server: "renew it (strata-provision authority issue, where the authority is your own), then systemctl reload strata-control"
        case .storeKey: "make a new key at the store, put it into blobs.access_key and blobs.secret_file, and restart strata-control"
        case .authority: "make a new authority in another folder, name it in server.authority, and enroll every board and pool host again"
        }
    }

    static func text(_ fault: ChainFault) -> String {
        func list(_ names: [String]) -> String { names.isEmpty ? "no name" : names.joined(separator: ", ").bounded() }
        return switch fault {
        case .over(let end): "the certificate was over at \(text(end))"
        case .begins(let begin): "the certificate is good from \(text(begin)) on only"
        case .notOfAuthority(let reason): "the certificate is not one of the authority in server.authority: \(reason)"
        case .otherNames(let names, let lacks): "the certificate is for \(list(names)), and not for \(list(lacks))"
        }
    }

    static func remedy(_ fault: ChainFault) -> String {
        switch fault {
        case .over: remedy(.server)
        case .begins: "put the one in use back, or see that the clock of this machine is right"
        case .notOfAuthority:
            "issue it with that authority (strata-provision authority issue) and have its certificate in the chain, then systemctl reload "
                + "strata-control; for a new authority name it in server.authority, restart, and enroll every board and pool host again"
        case .otherNames:
            "issue it for the names in server.origins, then systemctl reload strata-control; for a new name change server.origins, and restart"
        }
    }

    private static var now: Int { Int(Timestamp.now.unixSeconds) }

    private static func text(_ unixSeconds: Int) -> String { Timestamp(unixMs: Int64(unixSeconds) * 1000).text }
}

/// Until when a certificate is good, and from when on its end is spoken of. Holds no clock; all in Unix seconds.
struct CertificateTerm: Hashable, Sendable {
    let end: Int
    /// How long before its end.
    let notice: Int

    static let day = 86_400

    enum State: Hashable, Sendable {
        case good
        /// Whole days that are left.
        case ending(days: Int)
        case over
    }

    func state(at now: Int) -> State {
        let left = end - now
        return left <= 0 ? .over : left <= notice ? .ending(days: left / Self.day) : .good
    }

    /// Whether a machine that renews it from its notice on has had a day for that, or half of the time where that is less.
    func isOverdue(at now: Int) -> Bool { end - now <= notice - min(Self.day, notice / 2) }

    /// In how many seconds to look again: when the state changes next, and after a day at most, since clocks are set.
    func nextLook(at now: Int) -> Int {
        let left = end - now
        return [left - notice, left].filter { $0 > 0 }.reduce(Self.day, min)
    }
}
