#include "core/domain/device_choice.h"
