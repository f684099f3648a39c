/// A question to a service on the bus.
package struct MethodCall: Sendable {
    package var service: String
    package var path: String
    package var interface: String
    package var member: String
    package var arguments: [Argument]

    /// What is asked with: the types that we send.
    package enum Argument: Sendable {
        case text(String)
        case path(String)
        case unsigned(UInt32)
        case boolean(Bool)
        /// `a{sv}`
        case properties([String: Argument])
    }

    package init(_ service: String, _ path: String, _ interface: String, _ member: String, _ arguments: [Argument] = []) {
        self.service = service
        self.path = path
        self.interface = interface
        self.member = member
        self.arguments = arguments
    }

    private static let properties = "org.freedesktop.DBus.Properties"

    package static func property(_ service: String, _ path: String, _ interface: String, _ name: String) -> MethodCall {
        MethodCall(service, path, properties, "Get", [.text(interface), .text(name)])
    }

    package static func allProperties(_ service: String, _ path: String, _ interface: String) -> MethodCall {
        MethodCall(service, path, properties, "GetAll", [.text(interface)])
    }

    /// Everything that an object manager knows, `a{oa{sa{sv}}}`.
    package static func managedObjects(_ service: String, _ path: String) -> MethodCall {
        MethodCall(service, path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    }

    /// Who has a name on the bus; does not start a service that could have it.
    package static func owner(of name: String) -> MethodCall {
        MethodCall(BusSignal.bus, "/org/freedesktop/DBus", BusSignal.bus, "GetNameOwner", [.text(name)])
    }
}

/// What a service answered.
package struct Reply: Hashable, Sendable {
    package var values: [BusValue]
    /// A list or dictionary in it had more entries than are read.
    package var isCut: Bool
}
