"""Made-up people, and what surveys call them and say of them: what cases of personal data are made of."""

FIRST_NAMES = (
    *("Grace", "John", "Mary", "Peter", "Robert", "Sarah", "Justus", "Moses", "Annet", "Agnes", "Rose", "James"),
    *("Joseph", "Esther", "Ruth", "Innocent", "Amon", "Deus"),
)
LAST_NAMES = (
    *("Okello", "Nakato", "Wasswa", "Babirye", "Kato", "Nsubuga", "Namukasa", "Ssemakula"),
    *("Nabukenya", "Mukasa", "Kizza", "Tumwesigye", "Ainembabazi", "Kyomuhendo", "Byaruhanga", "Turyasingura"),
    *("Ahimbisibwe", "Kemigisha", "Nuwagaba", "Arinaitwe", "Twinomugisha", "Natukunda", "Muhwezi", "Asiimwe"),
    *("Komuhangi", "Akankwasa", "Rwabwogo", "Birungi", "Ninsiima", "Mbabazi", "Opio", "Achieng"),
    *("Lubega", "Namutebi", "Ssali", "Nakimuli"),
)
VILLAGES = (
    "Nyakagyeme",
    "Kihihi",
    "Mpungu",
    "Kambuga",
    "Rugyeyo",
    "Kanyantorogo",
    "Butogota",
    "Bugongi",
    "Kitgum Matidi",
)
PREFIXES = ("70", "71", "72", "74", "75", "76", "77", "78", "79", "39", "41")
SENTENCES = ("call {} in the evening", "{}", "his number {}", "{} (wife)", "Tel: {}.", "essimu {}", "tel.{}", "{}/{}")
PHONE_HEADERS = ("Mobile No", "phone", "Phone number of respondent", "essimu", "esimu", "hh_info/telephone", "contact")
NAME_HEADERS = (
    "Respondent Name",
    "full_name",
    "erinnya",
    "eiziina",
    "next_of_kin",
    "HouseholdHeadName",
    "Name",
    "group member name",
    "grp/respondent_name",
    "Amannya",
    "enumerator",
)
PERSON_HEADERS = (
    *("spouse", "wife", "husband", "mother", "father", "father's", "head", "hh_head", "HH head", "Beneficiary"),
    *("village_chairperson", "LC1 chairman", "VHT", "village chief", "Caretaker", "Surveyor", "Interviewer"),
    *("interviewed by", "person interviewed", "signed_by", "respondent_id", "next of kin", "Amazina"),
)
OTHER_LETTERS = ("\uff4e\uff41\uff4d\uff45", "N\u0430me", "Pr\u00e9nom", "nom", "respname", "household_name")
NETWORK_HEADERS = ("WhatsApp", "ph1", "momo", "airtel", "mtn", "MTN number", "spouse contact", "mobile")
PERSON_ANSWERS = (
    *(
        ("mother_alive", "yes"),
        ("mother", "yes"),
        ("mother", "died 3 years ago"),
        ("father", "deceased"),
        ("spouse", "1"),
    ),
    *(("head", "male"), ("hh_head", "female-headed"), ("VHT", "ENUM07"), ("respondent_id", "KAN-100-ABC-1974")),
    *(
        ("Caretaker", "grandmother"),
        ("husband", "works away"),
        ("wife", "2 wives"),
        ("head", "widow"),
        ("spouse", "N/A"),
    ),
    *(
        ("father_education", "primary"),
        ("head_sex", "female"),
        ("beneficiary", "not a member"),
        ("interviewed by", "phone"),
    ),
)
PHRASES = ("sells charcoal", "went to Kampala", "digs in the garden", "has a shop", "brews beer", "rides a boda")
NAME_TEXTS = (
    "my name is {0} {1}",
    "the head's name is {1}",
    "asked Mr. {1} about it",
    "Mrs {0} {1} was not at home",
    "omwami {1}",
    "Omukyala {1} yagaanye",
    "erinnya lyange nze {1}",
    "eiziina ryangye niinye {1}",
    "mr {1} refused",
)
