/// Which interfaces may carry media.
package struct LinkPolicy: Hashable, Sendable {
    /// Names, or beginnings of names followed by `*`; empty allows every one that is not denied.
    package var allow: [String]
    package var deny: [String]

    package init(allow: [String] = [], deny: [String] = []) {
        self.allow = allow
        self.deny = deny
    }

    /// Kinds that lead to no network of their own, by IFLA_INFO_KIND.
    private static let inward: Set<String> = [
        "bridge", "dummy", "ifb", "tun", "wireguard", "bond", "team", "vxlan", "gre", "gretap", "ipip", "sit", "ip6tnl", "nlmon", "vrf",
    ]
    private static let inwardNames = ["docker*", "br-*", "virbr*", "veth*", "cni*", "flannel*", "podman*"]

    /// An interface that is named in `allow` is taken whatever it is, but for one that belongs to a bridge; loopback only by its whole
    /// name: it leads to receivers on this machine, for trying things out.
    func admits(name: String, kind: String?, isLoopback: Bool, hasMaster: Bool) -> Bool {
        if hasMaster || Self.matches(name, deny) { return false }
        if isLoopback { return allow.contains(name) }
        if Self.matches(name, allow) { return true }
        guard allow.isEmpty else { return false }
        return !Self.inward.contains(kind ?? "") && !Self.matches(name, Self.inwardNames)
    }

    private static func matches(_ name: String, _ patterns: [String]) -> Bool {
        patterns.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0 }
    }
}
