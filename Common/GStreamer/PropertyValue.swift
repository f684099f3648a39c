import CGStreamer

/// A value for a property of an element. It is converted to the property's own type and range; what does not fit is an error.
package enum PropertyValue: Sendable, Hashable {
    case text(String)
    case integer(Int64)
    case number(Double)
    case flag(Bool)
    /// A value of an enumeration or a set of flags, by its nick: `superfast`.
    case choice(StaticChoice)
    case caps(Caps)
    case structure(Structure)

    /// - Parameter count: any integer of Swift's.
    package static func count(_ count: Int) -> PropertyValue { .integer(Int64(count)) }

    /// The nick of an enumeration's value, constant.
    package struct StaticChoice: Sendable, Hashable, ExpressibleByStringLiteral {
        let text: String
        package init(stringLiteral value: StaticString) { text = "\(value)" }
    }
}

extension PropertyValue: ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .flag(value) }
}

/// Named values, as GStreamer passes them in caps, statistics and the controls of a driver.
package struct Structure: Sendable, Hashable {
    package var name: String
    package var fields: [String: Field]

    package enum Field: Sendable, Hashable {
        case integer(Int64)
        case number(Double)
        case flag(Bool)
        case text(String)
        case fraction(Int, Int)
        case numbers([Double])
    }

    package init(_ name: StaticString, _ fields: [String: Field]) {
        self.name = "\(name)"
        self.fields = fields
    }

    /// Copies a structure of the library; fields of other types are left out.
    init(copying structure: UnsafePointer<GstStructure>) {
        name = gst_structure_get_name(structure).map { String(cString: $0) } ?? ""
        fields = [:]
        for index in 0..<max(0, gst_structure_n_fields(structure)) {
            guard let key = gst_structure_nth_field_name(structure, guint(index)), let value = gst_structure_get_value(structure, key)
            else { continue }
            fields[String(cString: key)] = Field(value)
        }
    }

    /// The same for the library; the caller owns it. nil for a name GStreamer refuses.
    func make() -> UnsafeMutablePointer<GstStructure>? {
        guard let structure = gst_structure_new_empty(name) else { return nil }
        for (key, field) in fields {
            var value = field.value
            gst_structure_set_value(structure, key, &value)
            g_value_unset(&value)
        }
        return structure
    }
}

/// What a stream carries: a media type and its fields.
package struct Caps: Sendable, Hashable {
    package var structure: Structure

    package init(_ mediaType: StaticString, _ fields: [String: Structure.Field] = [:]) {
        structure = Structure(mediaType, fields)
    }

    /// The same for the library; the caller unrefs it. nil for a media type GStreamer refuses.
    func make() -> UnsafeMutablePointer<GstCaps>? {
        guard let structure = structure.make() else { return nil }
        let caps = gst_caps_new_empty()
        // gst_caps_append_structure takes the structure over.
        gst_caps_append_structure(caps, structure)
        return caps
    }
}

extension Structure.Field {
    /// nil for a type that has no case here.
    init?(_ value: UnsafePointer<GValue>) {
        switch strata_value_type(value) {
        case strata_type_string(): self = .text(g_value_get_string(value).map { String(cString: $0) } ?? "")
        case strata_type_boolean(): self = .flag(g_value_get_boolean(value) != 0)
        case strata_type_fraction():
            self = .fraction(Int(gst_value_get_fraction_numerator(value)), Int(gst_value_get_fraction_denominator(value)))
        case _ where strata_holds_old_array(value) != 0: self = .numbers(Structure.Field.numbers(ofArray: value))
        default:
            guard let number = Structure.Field(number: value) else { return nil }
            self = number
        }
    }

    /// Values that are no numbers are left out.
    private static func numbers(ofArray value: UnsafePointer<GValue>) -> [Double] {
        (0..<strata_old_array_count(value)).compactMap { index in
            switch strata_old_array_at(value, index).flatMap({ Structure.Field(number: $0) }) {
            case .number(let number): number
            case .integer(let integer): Double(integer)
            default: nil
            }
        }
    }

    private init?(number value: UnsafePointer<GValue>) {
        var integer = GValue()
        g_value_init(&integer, strata_type_int64())
        defer { g_value_unset(&integer) }
        var number = GValue()
        g_value_init(&number, strata_type_double())
        defer { g_value_unset(&number) }
        let isFloating = g_type_check_value_holds(value, strata_type_double()) != 0
        if !isFloating, g_value_transform(value, &integer) != 0 {
            self = .integer(Int64(g_value_get_int64(&integer)))
        } else if g_value_transform(value, &number) != 0 {
            self = .number(g_value_get_double(&number))
        } else {
            return nil
        }
    }

    /// A GValue that the caller unsets. Integers are 32 bits wide where they fit, as caps want them.
    var value: GValue {
        var value = GValue()
        switch self {
        case .integer(let integer):
            if let small = Int32(exactly: integer) {
                g_value_init(&value, strata_type_int())
                g_value_set_int(&value, small)
            } else {
                g_value_init(&value, strata_type_int64())
                g_value_set_int64(&value, gint64(integer))
            }
        case .number(let number):
            g_value_init(&value, strata_type_double())
            g_value_set_double(&value, number)
        case .flag(let flag):
            g_value_init(&value, strata_type_boolean())
            g_value_set_boolean(&value, flag ? 1 : 0)
        case .text(let text):
            g_value_init(&value, strata_type_string())
            g_value_set_string(&value, text)
        case .fraction(let numerator, let denominator):
            g_value_init(&value, strata_type_fraction())
            gst_value_set_fraction(&value, CInt(truncatingIfNeeded: numerator), CInt(truncatingIfNeeded: denominator))
        case .numbers(let numbers):
            g_value_init(&value, strata_type_array())
            for number in numbers {
                var one = Structure.Field.number(number).value
                gst_value_array_append_value(&value, &one)
                g_value_unset(&one)
            }
        }
        return value
    }
}
