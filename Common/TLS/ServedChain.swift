import COpenSSL
import Glibc

/// What those who dial a server expect of the chain that it presents.
package struct ChainDemand: Sendable, Hashable {
    /// SHA-256 of the authority that they pin; nil where it is the system's authorities that they trust, which are theirs to know.
    package let authority: [UInt8]?
    /// The names and literal addresses by which they dial.
    package let hosts: [String]

    package init(authority: [UInt8]?, hosts: [String]) {
        self.authority = authority
        self.hosts = hosts
    }
}

/// Why those who dial refuse a server's chain.
package enum ChainFault: Error, Hashable, Sendable {
    /// Unix seconds.
    case over(at: Int)
    case begins(at: Int)
    /// What OpenSSL's check says.
    case notOfAuthority(reason: String)
    /// `names` are those it is for.
    case otherNames(names: [String], lacks: [String])
}

extension TLSContext {
    /// For how long a server's own certificate is good, from its beginning to its end, in seconds; nil of a client.
    package var life: Int? {
        guard let end = notAfter, let begin = ServedChain(raw)?.begin else { return nil }
        return end - begin
    }

    /// What is wrong with a server's own chain for those who dial it; nil where they accept it.
    ///
    /// - Parameters:
    ///   - before: what was served so far; what it was accepted for may not be lost. Where it was accepted by nobody, or there is none,
    ///     one name that is asked for is enough: a proxy may serve the others.
    ///   - now: Unix seconds.
    package func fault(for demand: ChainDemand, after before: TLSContext? = nil, at now: Int) -> ChainFault? {
        guard let served = ServedChain(raw), let end = notAfter else { return nil }
        if now >= end { return .over(at: end) }
        if let begin = served.begin, now < begin { return .begins(at: begin) }
        if let pin = demand.authority, let reason = served.isRefused(by: pin) { return .notOfAuthority(reason: reason) }
        let old = before.flatMap { ServedChain($0.raw) }
        let kept = demand.hosts.filter { old?.covers($0) == true }
        // One of them is enough: a name that was given up must not cost the others their certificate.
        if !kept.isEmpty { return kept.contains(where: served.covers) ? nil : .otherNames(names: served.names, lacks: kept) }
        // Served behind a proxy, or for names of other days: one of them is what somebody dials.
        let known = demand.hosts + (old?.names ?? [])
        return known.isEmpty || known.contains(where: served.covers) ? nil : .otherNames(names: served.names, lacks: known)
    }
}

/// The certificates that a server's context presents; borrowed from it.
private struct ServedChain {
    private let leaf: OpaquePointer
    private let context: OpaquePointer

    init?(_ context: OpaquePointer) {
        guard let leaf = SSL_CTX_get0_certificate(context) else { return nil }
        self.leaf = leaf
        self.context = context
    }

    /// Unix seconds.
    var begin: Int? {
        var parts = tm()
        return ASN1_TIME_to_tm(X509_get0_notBefore(leaf), &parts) == 1 ? timegm(&parts) : nil
    }

    /// By the rules of the clients here (`TLSSession`): no partial wildcards.
    func covers(_ host: String) -> Bool {
        let bytes = host.utf8.count
        // A wildcard that is asked about (of the old names) is there when it is written there.
        if host.hasPrefix("*.") { return names.contains(host) }
        return X509_check_ip_asc(leaf, host, 0) == 1
            || X509_check_host(leaf, host, bytes, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS), nil) == 1
    }

    /// The alternative names: DNS names in lower case and addresses, at most 100 (RFC 5280 section 4.2.1.6).
    var names: [String] {
        var names: [String] = []
        var text = [CChar](repeating: 0, count: 254)
        for index in 0..<100 {
            switch strata_x509_name(leaf, CInt(index), &text, CInt(text.count)) {
            case 1: names.append(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased())
            case 0: continue
            default: return names
            }
        }
        return names
    }

    /// Why a client that pins the authority refuses the chain; nil where it does not.
    func isRefused(by pin: [UInt8]) -> String? {
        guard let check = X509_STORE_CTX_new() else { return TLSError.last("X509_STORE_CTX_new").description }
        defer { X509_STORE_CTX_free(check) }
        // As in a handshake: the leaf is one of the certificates that came.
        guard let presented = strata_tls_presented(context, leaf) else { return TLSError.last("sk_X509_dup").description }
        defer { strata_x509_stack_free(presented) }
        guard X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), leaf, presented) == 1,
            X509_STORE_CTX_set_default(check, "ssl_server") == 1
        else { return TLSError.last("X509_STORE_CTX_init").description }
        defer { ERR_clear_error() }
        guard !verify(check, by: Pin(pin)) else { return nil }
        let code = X509_STORE_CTX_get_error(check)
        // What a pinned authority's absence from the chain is called says nothing to a person.
        if code == X509_V_ERR_CERT_UNTRUSTED { return "the authority's own certificate is not in the chain" }
        return String(cString: X509_verify_cert_error_string(Int(code)))
    }
}
