/// What a service told everybody.
package struct BusSignal: Hashable, Sendable {
    /// The connection that it came from, `:1.7`: anybody on the bus may send a signal, so compare it with the name's owner.
    package var sender: String
    package var path: String
    package var interface: String
    package var member: String
    package var values: [BusValue]

    /// The bus itself, as a sender.
    package static let bus = "org.freedesktop.DBus"
}

/// Which signals are wanted; what is nil is not asked about.
package struct MatchRule: Hashable, Sendable {
    private var text: String

    /// - Parameter argument: the signal's first argument, a text.
    package init(
        sender: String, path: String? = nil, below: String? = nil, interface: String, member: String? = nil, argument: String? = nil
    ) {
        var parts = ["type='signal'", "sender='\(sender)'", "interface='\(interface)'"]
        if let path { parts.append("path='\(path)'") }
        if let below { parts.append("path_namespace='\(below)'") }
        if let member { parts.append("member='\(member)'") }
        if let argument { parts.append("arg0='\(argument)'") }
        precondition(!parts.contains { $0.filter { $0 == "'" }.count != 2 }, "names of the bus have no quotes")
        text = parts.joined(separator: ",")
    }

    var rule: String { text }

    /// Who has `name`: it, the old owner and the new one.
    package static func ownerChanges(of name: String) -> MatchRule {
        MatchRule(sender: BusSignal.bus, interface: BusSignal.bus, member: "NameOwnerChanged", argument: name)
    }
}
